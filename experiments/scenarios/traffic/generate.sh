#!/bin/sh
# Makes burst.csv, the traffic of demo.yaml:  sh generate.sh > burst.csv
# Fifteen minutes of independent arrivals at 12/s on a slow wave of 15 %, and three times as many
# from 180 s to 225 s. Prompts have a mean of 1155 and answers of 211 tokens, both lognormal with
# the 99th percentiles 4142 and 601 (those of the Azure LLM conversation trace of 2023).
# The random numbers are Park and Miller's (1988), whole numbers in any awk: the file is always the
# same.
set -eu
exec awk '
function uniform() {
    state = (16807 * state) % 2147483647
    return state / 2147483647
}
function normal() {
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform())
}
# mu = ln mean - sigma^2 / 2, and ln p99 = mu + 2.3263 sigma
function tokens(mean, p99,    sigma) {
    sigma = 2.3263 - sqrt(2.3263 * 2.3263 - 2 * log(p99 / mean))
    return 1 + int(exp(log(mean) - sigma * sigma / 2 + sigma * normal()))
}
BEGIN {
    state = 2023
    print "arrived_at,num_prefill_tokens,num_decode_tokens"
    for (time = 0;;) {
        rate = 12 * (1 + 0.15 * sin(6.283185307179586 * time / 600))
        if (time >= 180 && time < 225) {
            rate = 3 * rate
        }
        time += -log(uniform()) / rate
        if (time >= 900) {
            exit
        }
        printf "%.3f,%d,%d\n", time, tokens(1155, 4142), tokens(211, 601)
    }
}'
