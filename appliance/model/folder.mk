# what there is, with slots and domains
$(eval $(call library,model,$(wildcard appliance/model/*.c),))
$(eval $(call unit,test_model,tests/unit/test_model.c,model config base,jansson,-lm))
