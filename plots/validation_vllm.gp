# gnuplot -d -c validation_vllm.gp TERM OUT TITLE FIGURES, in a directory with these files:
#   measured.tsv, simulated.tsv  time_s, then running and waiting (sequences), kv_use (0 to 1)
DIR = ARG0[1:strstrt(ARG0, "validation_vllm.gp")-1]
HEIGHT = 500.0
call DIR.'term.gp' ARG1 ARG2 "960" sprintf("%d", HEIGHT)
load DIR.'style.gp'

load DIR.'axes.gp'
set lmargin at screen 0.055; set rmargin at screen 0.985
set xrange [0:190]; set format y "%g"
# Where a panel stands: row from 0.
TOP(row) = 1 - (86 + 128*row)/HEIGHT
PLACE(row) = sprintf("set tmargin at screen %.6f; set bmargin at screen %.6f", TOP(row), TOP(row) - 96/HEIGHT)
MEASURED = "'measured.tsv' skip 1 using 1"
SIMULATED = "'simulated.tsv' skip 1 using 1"
set style line 1 lc rgb OFFERED lw 1.6 dt solid
set style line 2 lc rgb FAILED lw 2.2 dt (6,3)

eval PLACE(0)
set format x ""
set yrange [0:60]; set ytics 20
set label 1 "sequences running" at graph 0, graph 1.1 left textcolor rgb INK
set label 2 ARG3 at screen 0.055, screen 1 - 20/HEIGHT left noenhanced textcolor rgb INK font ",14"
set label 3 ARG4 at screen 0.055, screen 1 - 42/HEIGHT left noenhanced textcolor rgb INK
set key at graph 1, graph 1.27 right top horizontal maxrows 1
plot @MEASURED:2 with lines ls 1 title "measured", @SIMULATED:2 with lines ls 2 title "simulated"
unset label 2; unset label 3; unset key

eval PLACE(1)
set yrange [0:260]; set ytics 100
set label 1 "sequences waiting"
plot @MEASURED:3 with lines ls 1, @SIMULATED:3 with lines ls 2

eval PLACE(2)
set format x "%g"; set xlabel "time (seconds)" textcolor rgb INK offset 0,0.4
set yrange [0:1.06]; set ytics 0.5
set label 1 "KV blocks in use, share"
plot @MEASURED:4 with lines ls 1, @SIMULATED:4 with lines ls 2
unset multiplot
