/* SPDX-License-Identifier: MIT */
/*
 * prometheus: a real Prometheus for the time of a scenario, with the shipped configuration and
 * rules; only addresses and intervals are the test's.
 */
#ifndef MONITORING_PROMETHEUS_H
#define MONITORING_PROMETHEUS_H

#include <jansson.h>

#include "tests/support/e2e.h"

struct prometheus;

/** It watches these HTTP ports of 127.0.0.1, and has asked all of them when this returns. Ends with
 * the scenario. */
struct prometheus *prometheus_open(struct e2e *e, const uint16_t *ports, size_t count);

/** What an expression comes to now: an array of samples; fails when it is none. Freed by the
 * caller. */
json_t *prometheus_query(const struct prometheus *prometheus, const char *expr);
/** The same as soon as there is at least one; NULL at the deadline. */
json_t *prometheus_wait(const struct prometheus *prometheus, const char *expr);
/** The value of an expression that comes to one sample. */
double prometheus_value(const struct prometheus *prometheus, const char *expr);

/** All alerting rules with their state. Freed by the caller. */
json_t *prometheus_rules(const struct prometheus *prometheus);

#endif
