# gnuplot -d -c latency.gp TERM OUT UNIT_S UNIT END_S LANES LOW_S HIGH_S PANELS, in a directory with
# these files:
#   latency.tsv  time_s, then mean, low, high of the 50 % and the 99 % quantile of the latency of what
#                was answered, in seconds; one block a client
#   clients.tsv  name; one row a client
#   windows.tsv, labels.tsv  as in load.gp
UNIT_S = real(ARG3)
UNIT = ARG4
END = real(ARG5)/UNIT_S
STRIP = 6 + 17*int(ARG6)
LOW = real(ARG7)
HIGH = real(ARG8)
PANELS = int(ARG9)
DIR = ARG0[1:strstrt(ARG0, "latency.gp")-1]
HEIGHT = 40.0 + STRIP + 190*PANELS
call DIR.'term.gp' ARG1 ARG2 "960" sprintf("%d", HEIGHT)
load DIR.'style.gp'
array NAME[PANELS]
stats 'clients.tsv' skip 1 using (NAME[int($0)+1] = strcol(1), 1) nooutput

set lmargin at screen 0.065; set rmargin at screen 0.985
load DIR.'windows.gp'
set xrange [0:END]; set yrange [LOW:HIGH]; set logscale y; unset mytics
set format y "%g"; set format x ""
do for [i = 1:PANELS] {
    set tmargin at screen 1 - (STRIP + 30 + 190*(i - 1))/HEIGHT
    set bmargin at screen 1 - (STRIP + 30 + 190*(i - 1) + 145)/HEIGHT
    if (i == PANELS) { set format x "%g"; set xlabel "simulated time (".UNIT.")" textcolor rgb INK offset 0,0.4 }
    set label 1 "latency of ".NAME[i]." (seconds)" at graph 0, graph 1.09 left noenhanced textcolor rgb INK
    set key at graph 1, graph 1.19 right top horizontal maxrows 1
    plot 'windows.tsv' skip 1 using ($3==0?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb FAULT fs transparent solid 0.13 noborder notitle, \
         'windows.tsv' skip 1 using ($3==1?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb SPIKE fs transparent solid 0.22 noborder notitle, \
         'latency.tsv' skip 1 index i-1 using ($1/UNIT_S):6:7 with filledcurves fc rgb FAILED fs transparent solid 0.16 noborder notitle, \
         'latency.tsv' skip 1 index i-1 using ($1/UNIT_S):3:4 with filledcurves fc rgb GOOD fs transparent solid 0.13 noborder notitle, \
         'latency.tsv' skip 1 index i-1 using ($1/UNIT_S):5 with lines lt 2 title "99 % quantile", \
         'latency.tsv' skip 1 index i-1 using ($1/UNIT_S):2 with lines lt 1 title "median", \
         'labels.tsv' skip 1 using ($4==2?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb INK lw 1.2 dt (4,3) notitle, \
         'labels.tsv' skip 1 using ($4==3?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb BACK lw 1.2 dt (4,3) notitle
}
unset multiplot
