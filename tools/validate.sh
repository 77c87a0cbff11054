#!/bin/sh
# validate.sh PROGRAM MEASURED OUT: simulates a run of vLLM that was measured (tests/system/data/
# vllm-rtx4090.yaml says which) and draws both: OUT/vllm-rtx4090.svg. MEASURED is the directory of the
# measured run, which is not shipped.
set -eu
program=$1 measured=$2 out=$3
if [ ! -r "$measured/vllm_requests.csv" ]; then
    echo "skipped: the measured run is not in $measured" >&2
    exit 0
fi
mkdir -p "$out"
"$program" run --quiet --force --out "$out/run" tests/system/data/vllm-rtx4090.yaml

# column FILE NAME [COMPONENT]: the values of a column, one a line.
column() {
    tr -d '\r' <"$1" | awk -F, -v name="$2" -v who="${3-}" '
        NR == 1 { for (i = 1; i <= NF; i++) { at[$i] = i }; next }
        who == "" || $at["component"] == who { print $at[name] }'
}
mean() { awk '{ sum += $1 } END { print sum / NR }'; }
# The quantile of 99 % by nearest rank.
p99() { sort -g | awk '{ value[NR] = $1 } END { rank = int(0.99 * NR); print value[rank < 0.99 * NR ? rank + 1 : rank] }'; }
# off UNIT MS SIMULATED_S MEASURED_MS: both in the unit, of so many ms, and how far off it is.
off() {
    awk -v unit="$1" -v ms="$2" -v got="$3" -v is="$4" 'BEGIN {
        printf "%.1f for %.1f %s (%+.1f %%)", 1000 * got / ms, is / ms, unit, 100 * (1000 * got / is - 1) }'
}

requests=$measured/vllm_requests.csv
summary=$out/run/summary.csv
figures="Simulated for measured: mean TTFT $(off s 1000 "$(column "$summary" ttft_s_mean llm)" \
    "$(column "$requests" ttft_from_queued_ms | mean)"), mean E2E $(off s 1000 \
    "$(column "$summary" latency_s_mean bench)" "$(column "$requests" e2e_ms | mean)"), p99 of TPOT $(off \
    ms 1 "$(column "$summary" tpot_s_p99 llm)" "$(column "$requests" tpot_ms | p99)")"

tr -d '\r' <"$measured/timeseries.csv" | awk -F, -v OFS='\t' '
    NR == 1 { for (i = 1; i <= NF; i++) { at[$i] = i }; print "time_s", "running", "waiting", "kv_use"; next }
    { print $at["t"], $at["running"], $at["waiting"], $at["kv_cache_pct"] / 100 }' \
    >"$out/measured.tsv"
awk -F, -v OFS='\t' '
    NR == 1 { for (i = 1; i <= NF; i++) { at[$i] = i }; print "time_s", "running", "waiting", "kv_use"; next }
    $at["component"] == "llm" { print $at["time_s"] + 0.5, $at["busy_mean"], $at["queue_mean"], $at["kv_use_ratio"] }' \
    "$out/run/timeseries.csv" >"$out/simulated.tsv"

plots=$PWD/plots
cd "$out"
gnuplot -d -c "$plots/validation_vllm.gp" svg vllm-rtx4090.svg \
    'vLLM 0.19 on an RTX 4090, Llama-3.1-8B, 300 requests of ShareGPT in half a minute' "$figures"
echo "$figures"
echo "drawn: $out/vllm-rtx4090.svg"
