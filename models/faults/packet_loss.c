#include "models/faults/fault.h"
#include "sim/check.h"

typedef struct PacketLossParams {
    EdgePlace place;
    double ratio;
    bool retransmits;
    SimTime retransmit;
} PacketLossParams;

/* Linux gives up after tcp_retries2 = 15 retransmissions, and waits at most TCP_RTO_MAX = 120 s for
 * each (net/ipv4/tcp_timer.c, include/net/tcp.h). */
enum { RETRANSMISSIONS_MAX = 15 };
#define RETRANSMIT_MAX (120 * SIM_TIME_S)

/* A retransmission takes as long to be missed as the one before took, twice. From 200 ms the third
 * copy leaves after 600 ms, the 16th after 924.6 s. */
static bool packet_loss_carries(const void *params, const Passage *passage, Rng *rng,
                                SimTime *delay) {
    const PacketLossParams *p = params;
    SimTime wait = p->retransmit;
    CHECK(p->ratio > 0);
    if (!edge_place_has(&p->place, passage)) {
        return true;
    }
    for (uint32_t copies = 0; rng_uniform(rng) < p->ratio; copies++) {
        if (!p->retransmits || copies == RETRANSMISSIONS_MAX) {
            return false;
        }
        *delay += wait < RETRANSMIT_MAX ? wait : RETRANSMIT_MAX;
        wait *= wait < RETRANSMIT_MAX ? 2 : 1;
    }
    return true;
}

static bool packet_loss_loses(const void *params) {
    const PacketLossParams *p = params;
    CHECK(p->ratio > 0);
    return !p->retransmits;
}

static const Param packet_loss_params[] = {
    EDGE_PLACE_PARAMS,
    {"ratio", PARAM_RATIO, offsetof(PacketLossParams, ratio), .above_min = true, .max = 1,
     .doc = "Share of messages that are lost, each by itself."},
    {"retransmit", PARAM_DURATION, offsetof(PacketLossParams, retransmit), .min = 0.001, .max = 120,
     .is_optional = true, .has_offset = offsetof(PacketLossParams, retransmits),
     .doc = "After how long a lost message is sent again, twice as long each time, 120s at most "
            "and 15 times, as TCP does (Linux: 200ms and more); left out: its caller waits until "
            "its timeout."},
};

static const FaultOps packet_loss_ops = {.apply = edge_place_apply,
                                         .is_at = edge_place_is_at,
                                         .carries = packet_loss_carries,
                                         .loses = packet_loss_loses};

const Kind fault_packet_loss = {
    .family = FAMILY_FAULT,
    .name = "packet_loss",
    .doc = "The network loses some of the messages, in silence.",
    .params = packet_loss_params,
    .param_count = PARAM_COUNT_OF(packet_loss_params),
    .params_size = sizeof(PacketLossParams),
    .ops = &packet_loss_ops,
    .check = edge_place_check,
};
