# call DIR.'term.gp' TERM OUT WIDTH HEIGHT: sizes in CSS pixels; png has twice as many for dense screens.
TERM_W = int(ARG3)
TERM_H = int(ARG4)
if (ARG1 eq "svg") {
    set terminal svg size TERM_W,TERM_H dynamic noenhanced font "system-ui,DejaVu Sans,sans-serif,12" linewidth 1 background rgb "#ffffff"
}
if (ARG1 eq "png") {
    set terminal pngcairo size 2*TERM_W,2*TERM_H noenhanced font "DejaVu Sans,18" linewidth 2 background rgb "#ffffff"
}
if (ARG1 eq "pdf") {
    set terminal pdfcairo size TERM_W/96.0,TERM_H/96.0 noenhanced font "DejaVu Sans,9"
}
set output ARG2
