# virtual time: the real watch and judge around a made-up site
$(eval $(call unit,sim,tests/sim/sim.c tests/sim/world.c tests/sim/happen.c tests/sim/measure.c,watch monitor base,,-lm))
