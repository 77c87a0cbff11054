# gnuplot -d -c load.gp TERM OUT UNIT_S UNIT END_S LANES TOP, in a directory with these files:
#   load.tsv     time_s, then mean, low, high of offered, attempts, goodput, failed (each per second)
#   runs.tsv     time_s goodput; one block a replication
#   windows.tsv  begin_s end_s is_spike
#   labels.tsv   at_s text_at_s lane kind text; kind 0 fault, 1 spike, 2 collapse, 3 recovery
UNIT_S = real(ARG3)
UNIT = ARG4
END = real(ARG5)/UNIT_S
STRIP = 6 + 17*int(ARG6)
TOP = real(ARG7)
DIR = ARG0[1:strstrt(ARG0, "load.gp")-1]
HEIGHT = 376.0 + STRIP
call DIR.'term.gp' ARG1 ARG2 "960" sprintf("%d", HEIGHT)
load DIR.'style.gp'

set lmargin at screen 0.065; set rmargin at screen 0.985
load DIR.'windows.gp'

set tmargin at screen 1 - (STRIP + 30)/HEIGHT; set bmargin at screen 54/HEIGHT
set xrange [0:END]; set yrange [0:TOP]
set xlabel "simulated time (".UNIT.")" textcolor rgb INK offset 0,0.4
set label 1 "requests per second" at graph 0, graph 1.05 left textcolor rgb INK
set key at graph 1, graph 1.095 right top horizontal maxrows 1
plot 'windows.tsv' skip 1 using ($3==0?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb FAULT fs transparent solid 0.13 noborder notitle, \
     'windows.tsv' skip 1 using ($3==1?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb SPIKE fs transparent solid 0.22 noborder notitle, \
     'load.tsv' skip 1 using ($1/UNIT_S):6:7 with filledcurves fc rgb ATTEMPTS fs transparent solid 0.16 noborder notitle, \
     'load.tsv' skip 1 using ($1/UNIT_S):9:10 with filledcurves fc rgb GOOD fs transparent solid 0.13 noborder notitle, \
     'runs.tsv' skip 1 using ($1/UNIT_S):2 with lines lc rgb "#A00072B2" lw 0.6 dt solid notitle, \
     'load.tsv' skip 1 using ($1/UNIT_S):5 with lines lt 4 title "attempts", \
     'load.tsv' skip 1 using ($1/UNIT_S):11 with lines lt 2 title "failed", \
     'load.tsv' skip 1 using ($1/UNIT_S):2 with lines lt 5 title "offered", \
     'load.tsv' skip 1 using ($1/UNIT_S):8 with lines lt 1 title "goodput", \
     'labels.tsv' skip 1 using ($4==2?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb INK lw 1.2 dt (4,3) notitle, \
     'labels.tsv' skip 1 using ($4==3?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb BACK lw 1.2 dt (4,3) notitle
unset multiplot
