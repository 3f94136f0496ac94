# SPDX-License-Identifier: GPL-3.0-or-later
# glory-l4: one driver per family of L4 switch
L4_SOURCES := $(filter-out l4drivers/main.c,$(wildcard l4drivers/*.c))
$(eval $(call library,l4drivers,$(L4_SOURCES),netsnmp jansson))
$(eval $(call program,libexec/glory/glory-l4,l4drivers/main.c,l4drivers balance base,netsnmp jansson))
