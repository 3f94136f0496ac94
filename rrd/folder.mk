# history: names and layout of the RRD tree, journal, writer, graphs
$(eval $(call library,rrdnames,rrd/names.c,))
$(eval $(call library,recorder,rrd/layout.c rrd/file.c rrd/cache.c rrd/journal.c rrd/writer.c rrd/recorder.c,librrd))
$(eval $(call program,libexec/glory/glory-recorder,rrd/role/main.c,recorder rrdnames board proc loop base,librrd libevent_core libseccomp libcap-ng,-lpthread))
$(eval $(call unit,test_rrd_names,tests/unit/test_rrd_names.c,recorder rrdnames base,librrd))
$(eval $(call unit,test_journal,tests/unit/test_journal.c,recorder rrdnames base,librrd,-lpthread))
$(eval $(call unit,test_recorder,tests/unit/test_recorder.c,recorder rrdnames base,librrd,-lpthread))
