# SPDX-License-Identifier: GPL-3.0-or-later
$(eval $(call program,tests/swarm,$(wildcard tests/lab/swarm/*.c),,libcrypto,-lm))
