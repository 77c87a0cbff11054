# A strip of STRIP pixels above the panels, with the names of faults, spikes, collapse and recovery in
# lanes. Reads labels.tsv; needs STRIP, HEIGHT, UNIT_S and END.
if (STRIP > 6) {
    set tmargin at screen 1; set bmargin at screen 1 - STRIP/HEIGHT
    set xrange [0:END]; set yrange [-0.6:-0.6 + STRIP/17.0]
    unset border; unset tics; unset grid; unset key
    plot 'labels.tsv' skip 1 using ($4==0?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb FAULT font ",11", \
         'labels.tsv' skip 1 using ($4==1?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb SPIKE_INK font ",11", \
         'labels.tsv' skip 1 using ($4==2?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb INK font ",11", \
         'labels.tsv' skip 1 using ($4==3?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb BACK font ",11"
}
load DIR.'axes.gp'
