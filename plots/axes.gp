# The axes and grid of a panel.
set border 3 lc rgb AXIS lw 1
set xtics nomirror out scale 0.6 textcolor rgb INK
set ytics nomirror out scale 0.6 textcolor rgb INK
set mxtics 2
set grid noxtics ytics back lt 1 lc rgb GRID lw 0.7 dt solid
set key on textcolor rgb INK samplen 2.6 spacing 1.1
