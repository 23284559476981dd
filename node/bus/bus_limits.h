/* SPDX-License-Identifier: MIT */
/* bus_limits: sizes of texts that the bus and its parts hand each other. */
#ifndef BUS_BUS_LIMITS_H
#define BUS_BUS_LIMITS_H

#define BUS_NAME_MAX    160 /* of a node, "id@incarnation", with its NUL */
#define BUS_ADDRESS_MAX 256
#define BUS_ERROR_BYTES 256

#endif
