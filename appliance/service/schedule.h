/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schedule of a service at a time: what least size it asks for, and when that changes next. Pure; times are UTC seconds. */
#ifndef GLORY_SERVICE_SCHEDULE_H
#define GLORY_SERVICE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/service_text.h"

/* The largest minimum in force at that time; 0: none. */
uint32_t schedule_least(const struct service_schedule *schedule, int64_t now_s);
/* The largest minimum in force at any time from now_s to now_s + ahead_s. */
uint32_t schedule_least_within(const struct service_schedule *schedule, int64_t now_s, int64_t ahead_s);
/* The next time at which schedule_least() gives another value; 0 when it never does. */
int64_t schedule_next_change(const struct service_schedule *schedule, int64_t now_s);

#endif
