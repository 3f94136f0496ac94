# SPDX-License-Identifier: GPL-3.0-or-later
# the kernel's load balancer
LVS_SOURCES := $(addprefix lvs/,kernel.c message.c plan.c keepalived.c files.c run.c)
$(eval $(call library,lvs,$(LVS_SOURCES),libnl-genl-3.0 jansson))
$(eval $(call program,libexec/glory/glory-ipvs,lvs/main.c,lvs balance base,libnl-genl-3.0 jansson libseccomp libcap-ng,-lm))
