# call DIR.'windows.gp' BOTTOM TOP: a strip above the panels, between two heights of the screen, with
# the names of faults, spikes, collapse and recovery. Reads labels.tsv; needs UNIT_S and END.
set bmargin at screen real(ARG1); set tmargin at screen real(ARG2)
set xrange [0:END]; set yrange [-0.6:2.6]
unset border; unset tics; unset grid; unset key
plot 'labels.tsv' skip 1 using ($4==0?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb FAULT font ",11", \
     'labels.tsv' skip 1 using ($4==1?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb SPIKE_INK font ",11", \
     'labels.tsv' skip 1 using ($4==2?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb INK font ",11", \
     'labels.tsv' skip 1 using ($4==3?$2/UNIT_S:NaN):3:5 with labels center noenhanced textcolor rgb BACK font ",11"
load DIR.'axes.gp'
