# The look of all figures, for gnuplot 5.4 or later. No text of a user's stands here or in any script:
# names are cells of a data file, drawn by `with labels` or held as string values, never enhanced.
set encoding utf8
set datafile separator tab
set datafile missing "NaN"
set datafile commentschars ""

# Okabe and Ito's colours, which people with the three common deficiencies tell apart, without its
# yellow, too pale on white. Dashes differ as well, so that a grey print can be read.
OFFERED  = "#222222"
GOOD     = "#0072B2"
ATTEMPTS = "#E69F00"
FAILED   = "#D55E00"
SYSTEM   = "#009E73"
SPIKE    = "#CC79A7"
SPIKE_INK = "#9C4A78"
FAULT    = "#B2182B"
BACK     = "#2166AC"
AXIS     = "#5A6270"
GRID     = "#C9CED6"
INK      = "#222222"
set linetype 1 lc rgb GOOD     lw 2.2 dt solid
set linetype 2 lc rgb FAILED   lw 1.8 dt (8,3)
set linetype 3 lc rgb SYSTEM   lw 1.8 dt (3,3)
set linetype 4 lc rgb ATTEMPTS lw 1.8 dt (9,3,2,3)
set linetype 5 lc rgb OFFERED  lw 1.2 dt solid

# Shaded windows and vertical marks lie on a second y axis from 0 to 1, whatever the first shows.
set y2range [0:1]
set multiplot
