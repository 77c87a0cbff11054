# gnuplot -d -c inference.gp TERM OUT UNIT_S UNIT END_S PANELS, in a directory with these files:
#   inference.tsv  time_s, then mean, low, high of running and waiting (sequences), kv_use (0 to 1),
#                  preemptions, input and output (tokens, each per second), ttft_p50, ttft_p95, itl_p50
#                  and itl_p99 (seconds); one block a service
#   inference_names.tsv  high end of the axis of sequences, top and step of those of tokens and
#                  preemptions, low and high of those of ttft and itl, name; one row a service
#   windows.tsv, labels.tsv  as in load.gp; the names stand in the other pictures, where there is room
UNIT_S = real(ARG3)
UNIT = ARG4
END = real(ARG5)/UNIT_S
PANELS = int(ARG6)
DIR = ARG0[1:strstrt(ARG0, "inference.gp")-1]
ROW = 146
BLOCK = 3*ROW + 30
HEIGHT = 44.0 + BLOCK*PANELS
call DIR.'term.gp' ARG1 ARG2 "960" sprintf("%d", HEIGHT)
load DIR.'style.gp'
array NAME[PANELS]
array AXES[9*PANELS]
stats 'inference_names.tsv' skip 1 using (NAME[int($0)+1] = strcol(10), 1) nooutput
do for [c = 1:9] { stats 'inference_names.tsv' skip 1 using (AXES[9*int($0)+c] = column(c), 1) nooutput }

# Where a panel stands: service i, row and column from 0.
TOP(i, row) = 1 - (56 + BLOCK*(i - 1) + ROW*row)/HEIGHT
PLACE(i, row, column) = sprintf("set tmargin at screen %.6f; set bmargin at screen %.6f; set lmargin at screen %.3f; set rmargin at screen %.3f", \
    TOP(i, row), TOP(i, row) - 106/HEIGHT, column == 0 ? 0.065 : 0.57, column == 0 ? 0.48 : 0.985)
LINEAR(top, step) = sprintf("unset logscale y; set yrange [0:%g]; set ytics %g", top, step)
LOG(low, high) = sprintf("set logscale y; set yrange [%g:%g]; set ytics autofreq", low, high)
# None, on an axis that begins with one.
FLOOR(count) = count < 1 ? 1 : count
# What every panel shows behind and before its curves, and a band around a curve.
WINDOWS = "'windows.tsv' skip 1 using ($3==0?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb FAULT fs transparent solid 0.13 noborder notitle, \
    'windows.tsv' skip 1 using ($3==1?$1/UNIT_S:NaN):(0):($1/UNIT_S):($2/UNIT_S):(0):(1) axes x1y2 with boxxyerror fc rgb SPIKE fs transparent solid 0.22 noborder notitle"
MARKS = "'labels.tsv' skip 1 using ($4==2?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb INK lw 1.2 dt (4,3) notitle, \
    'labels.tsv' skip 1 using ($4==3?$1/UNIT_S:NaN):(0):(0):(1) axes x1y2 with vectors nohead lc rgb BACK lw 1.2 dt (4,3) notitle"
CURVE = "'inference.tsv' skip 1 index i-1 using ($1/UNIT_S)"
SHADE = "with filledcurves fs transparent solid 0.14 noborder notitle fc rgb"

load DIR.'axes.gp'; unset mytics
set xrange [0:END]; set format y "%g"
set key at graph 1, graph 1.2 right top horizontal maxrows 1
do for [i = 1:PANELS] {
    a = 9*(i - 1)
    set format x ""; unset xlabel
    eval PLACE(i, 0, 0); eval LOG(1, AXES[a+1])
    set label 2 NAME[i] at graph 0, graph 1.3 left noenhanced textcolor rgb INK font ",14"
    set label 1 "sequences" at graph 0, graph 1.1 left textcolor rgb INK
    plot @WINDOWS, @CURVE:(FLOOR($6)):(FLOOR($7)) @SHADE GOOD, @CURVE:(FLOOR($3)):(FLOOR($4)) @SHADE SYSTEM, \
         @CURVE:(FLOOR($2)) with lines lt 3 title "running", @CURVE:(FLOOR($5)) with lines lt 1 title "waiting", @MARKS
    unset label 2
    eval PLACE(i, 0, 1); eval LINEAR(1.06, 0.5)
    set label 1 "KV blocks in use, share"
    plot @WINDOWS, @CURVE:9:10 @SHADE GOOD, @CURVE:8 with lines lt 1 notitle, @MARKS
    eval PLACE(i, 1, 0); eval LINEAR(AXES[a+2], AXES[a+3])
    set label 1 "tokens per second"
    plot @WINDOWS, @CURVE:15:16 @SHADE OFFERED, @CURVE:18:19 @SHADE GOOD, \
         @CURVE:14 with lines lt 5 title "in", @CURVE:17 with lines lt 1 title "out", @MARKS
    eval PLACE(i, 1, 1); eval LINEAR(AXES[a+4], AXES[a+5])
    set label 1 "preemptions per second"
    plot @WINDOWS, @CURVE:12:13 @SHADE FAILED, @CURVE:11 with lines lt 2 notitle, @MARKS
    if (i == PANELS) { set format x "%g"; set xlabel "simulated time (".UNIT.")" textcolor rgb INK offset 0,0.4 }
    eval PLACE(i, 2, 0); eval LOG(AXES[a+6], AXES[a+7])
    set label 1 "time to first token (seconds)"
    plot @WINDOWS, @CURVE:24:25 @SHADE FAILED, @CURVE:21:22 @SHADE GOOD, \
         @CURVE:23 with lines lt 2 title "95 %", @CURVE:20 with lines lt 1 title "median", @MARKS
    eval PLACE(i, 2, 1); eval LOG(AXES[a+8], AXES[a+9])
    set label 1 "time between tokens (seconds)"
    plot @WINDOWS, @CURVE:30:31 @SHADE FAILED, @CURVE:27:28 @SHADE GOOD, \
         @CURVE:29 with lines lt 2 title "99 %", @CURVE:26 with lines lt 1 title "median", @MARKS
}
unset multiplot
