# the layer everything stands on: words, errors, text, clocks, log, host ranges
$(eval $(call library,base,$(wildcard appliance/base/*.c),))
$(eval $(call unit,test_base,tests/unit/test_base.c,base,,-lm))
