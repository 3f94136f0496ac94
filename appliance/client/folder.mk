# the client library behind gloryctl, the console and the tests
$(eval $(call library,client,$(wildcard appliance/client/*.c),libcurl jansson))
