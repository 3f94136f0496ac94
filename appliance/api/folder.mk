# the api role: HTTP and JSON, the web page, metrics
$(eval $(call library,api,$(wildcard appliance/api/*.c),libmicrohttpd jansson libevent_core))
$(eval $(call program,libexec/glory/glory-api,appliance/api/role/main.c,api board proc loop base,libmicrohttpd jansson libevent_core libseccomp libcap-ng,-lm))
$(eval $(call program,tests/apitool,tests/system/apitool.c,board proc loop base,libevent_core,-lm))
