# gnuplot -d -c services.gp TERM OUT UNIT_S UNIT END_S PANELS, in a directory with these files:
#   services.tsv  time_s, then mean, low, high of queue (requests waiting), share in use (0 to 1),
#                 in_system (requests) and orphaned (of these, those no caller waits for); one block a service
#   service_names.tsv  top and step of the axis of requests, name, what is in use; one row a service
#   windows.tsv, labels.tsv  as in load.gp; the names stand in the other pictures, where there is room
UNIT_S = real(ARG3)
UNIT = ARG4
END = real(ARG5)/UNIT_S
PANELS = int(ARG6)
DIR = ARG0[1:strstrt(ARG0, "services.gp")-1]
ROW = 150
HEIGHT = 66.0 + ROW*PANELS
call DIR.'term.gp' ARG1 ARG2 "960" sprintf("%d", HEIGHT)
load DIR.'style.gp'
array NAME[PANELS]
array SHARE[PANELS]
array TOP[PANELS]
array STEP[PANELS]
stats 'service_names.tsv' skip 1 using (NAME[int($0)+1] = strcol(3), SHARE[int($0)+1] = strcol(4), TOP[int($0)+1] = $1, STEP[int($0)+1] = $2, 1) nooutput

load DIR.'axes.gp'
set xrange [0:END]; set format x ""
do for [i = 1:PANELS] {
    set tmargin at screen 1 - (44 + ROW*(i - 1))/HEIGHT
    set bmargin at screen 1 - (44 + ROW*(i - 1) + 112)/HEIGHT
    if (i == PANELS) { set format x "%g"; set xlabel "simulated time (".UNIT.")" textcolor rgb INK offset 0,0.4 }
    set lmargin at screen 0.065; set rmargin at screen 0.55
    set yrange [0:TOP[i]]; set format y "%g"; set ytics STEP[i]
    set label 1 NAME[i].": requests" at graph 0, graph 1.1 left noenhanced textcolor rgb INK
    if (i == 1) { set key on at graph 1, graph 1.38 right top horizontal maxrows 1 width -3 } else { unset key }
    plot 'windows.tsv' skip 1 using ($3==0?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb FAULT fs transparent solid 0.13 noborder notitle, \
         'windows.tsv' skip 1 using ($3==1?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb SPIKE fs transparent solid 0.22 noborder notitle, \
         'services.tsv' skip 1 index i-1 using ($1/UNIT_S):9:10 with filledcurves fc rgb SYSTEM fs transparent solid 0.16 noborder notitle, \
         'services.tsv' skip 1 index i-1 using ($1/UNIT_S):8 with lines lt 3 title "in the system", \
         'services.tsv' skip 1 index i-1 using ($1/UNIT_S):2 with lines lt 1 title "waiting", \
         'services.tsv' skip 1 index i-1 using ($1/UNIT_S):11 with lines lt 2 title "for nobody", \
         'labels.tsv' skip 1 using ($4==2?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb INK lw 1.2 dt (4,3) notitle, \
         'labels.tsv' skip 1 using ($4==3?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb BACK lw 1.2 dt (4,3) notitle
    set lmargin at screen 0.62; set rmargin at screen 0.985
    set yrange [0:1.06]; set format y "%g"; set ytics 0.5
    set label 1 NAME[i].": ".SHARE[i] at graph 0, graph 1.1 left noenhanced textcolor rgb INK
    unset key
    plot 'windows.tsv' skip 1 using ($3==0?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb FAULT fs transparent solid 0.13 noborder notitle, \
         'windows.tsv' skip 1 using ($3==1?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb SPIKE fs transparent solid 0.22 noborder notitle, \
         'services.tsv' skip 1 index i-1 using ($1/UNIT_S):6:7 with filledcurves fc rgb GOOD fs transparent solid 0.16 noborder notitle, \
         'services.tsv' skip 1 index i-1 using ($1/UNIT_S):5 with lines lt 1 notitle, \
         'labels.tsv' skip 1 using ($4==2?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb INK lw 1.2 dt (4,3) notitle, \
         'labels.tsv' skip 1 using ($4==3?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb BACK lw 1.2 dt (4,3) notitle
}
unset multiplot
