# glory-engine: the one process that knows the cluster
$(eval $(call program,libexec/glory/glory-engine,$(wildcard appliance/engine/*.c),config store model monitor job proc board loop base,libevent_core jansson,-lm))
