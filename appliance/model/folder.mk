# what there is, with slots and domains
$(eval $(call library,model,$(wildcard appliance/model/*.c),))
