# check plugins of our own: small programs without any of our libraries
$(eval $(call program,libexec/glory/plugins/glory_tcp,plugins/glory_tcp.c,,))
