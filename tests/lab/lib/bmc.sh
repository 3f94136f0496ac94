# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Simulated BMCs: one ipmi_sim each, with five sensors that follow files, and a power circuit (chassis). The sensors are one
# table; the emulator's lines, the sensor records and the conversion of `lab sensor` come from it.

# number|file|name|kind|first value|unit per count in thousandths
LAB_SENSORS='1|temp|CPU1 Temp|analog|45|1000
2|fan|Fan1|analog|80|60000
3|v12|Rail 12V|analog|190|63
4|psu|PSU1 Status|discrete|1|
5|intr|Intrusion|discrete|0|'

sdr_analog() { # NUMBER ENTITY TYPE UNIT M R_EXP THRESHOLDS NAME
	local t n d
	cat <<-E
	sdr type 1
	 sensor_owner_id 0x20
	 sensor_owner_lun 0
	 channel_number 0
	 sensor_number $1
	 entity_id $2
	 entity_instance 1
	 sensor_type $3
	 init_scanning true
	 init_events true
	 init_thresholds true
	 init_sensor_type true
	 default_event_gen_on true
	 default_sensor_scan_on true
	 sensor_auto_rearm true
	 sensor_threshold_access settable
	 event_reading_type_code 1
	 analog_data_format unsigned
	 rate_unit none
	 modifier_unit none
	 base_unit $4
	 linearization linear
	 m $5
	 b 0
	 accuracy 1
	 sensor_direction input
	 r_exp $6
	 b_exp 0
	 sensor_maximum 255
	 sensor_minimum 0
	E
	for t in $7; do
		n=${t%=*} d=gh
		case $n in l*) d=gl ;; esac
		printf ' assert_%s%s true\n deassert_%s%s true\n %s_thrsh_readable true\n %s_thrsh_settable true\n %s_thresh %s\n' \
			"$n" $d "$n" $d "$n" "$n" "$n" "${t#*=}"
	done
	printf ' id_string "%s"\nendsdr\n' "$8"
}

sdr_discrete() { # NUMBER ENTITY TYPE BITS NAME
	local b
	cat <<-E
	sdr type 2
	 sensor_owner_id 0x20
	 sensor_owner_lun 0
	 channel_number 0
	 sensor_number $1
	 entity_id $2
	 entity_instance 1
	 init_scanning true
	 init_events true
	 default_event_gen_on true
	 default_sensor_scan_on true
	 sensor_auto_rearm true
	 sensor_type $3
	 event_reading_type_code 0x6f
	E
	for b in $4; do printf ' event%s_state_ret true\n assert_event%s true\n deassert_event%s true\n' "$b" "$b" "$b"; done
	printf ' id_string "%s"\nendsdr\n' "$5"
}

# Sensor records of every BMC, compiled once. Names carry a lower-case letter, else they are packed as six bits.
bmc_records() {
	{
		printf 'sdr type 18\n device_slave_address 0x20\n device_channel_number 0\n chassis true\n fru_inventory true\n'
		printf ' sel true\n sdr true\n sensor true\n entity_id system_board\n entity_instance 1\n id_string "simBMC"\nendsdr\n'
		sdr_analog 1 system_board Temperature degrees_C 1 0 "unc=75 uc=90" "CPU1 Temp"
		sdr_analog 2 fan_cooling_device Fan RPM 60 0 "lnc=20 lc=10" "Fan1"
		sdr_analog 3 system_board Voltage Volts 63 -3 "lc=170 uc=210" "Rail 12V"
		sdr_discrete 4 power_supply Power_Supply "0 1 3" "PSU1 Status"
		sdr_discrete 5 system_chassis Physical_Security "0" "Intrusion"
	} >"$LAB_DIR/bmcs/sensors.sdrs"
	sdrcomp -o "$LAB_DIR/bmcs/sensors.bsdr" "$LAB_DIR/bmcs/sensors.sdrs" >"$LAB_DIR/bmcs/sdrcomp.log" 2>&1 ||
		die "sdrcomp refuses the sensor records: $(head -n 1 "$LAB_DIR/bmcs/sdrcomp.log")"
}

# The GUID on the wire is the UUID with its lowest byte first (IPMI 2.0, 20.8).
guid_bytes() {
	local hex=${1//-/} out='' i
	for ((i = 30; i >= 0; i -= 2)); do out+=${hex:i:2}; done
	printf '%s' "$out"
}

bmc_emulator() { # VALUE_DIR GUID
	cat <<-E
	mc_setbmc 0x20
	mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
	mc_set_guid 0x20 $2
	sel_enable 0x20 1000 0x0a
	sensor_add 0x20 0 1 0x01 0x01 poll 500 file "$1/temp"
	sensor_set_threshold 0x20 0 1 settable 011000 00 90 75 00 00 00
	sensor_set_hysteresis 0x20 0 1 settable 2 2
	sensor_set_event_support 0x20 0 1 enable scanning per-state 000001010000000 000001010000000 000001010000000 000001010000000
	sensor_add 0x20 0 2 0x04 0x01 poll 500 file "$1/fan"
	sensor_set_threshold 0x20 0 2 settable 000011 00 00 00 00 10 20
	sensor_set_event_support 0x20 0 2 enable scanning per-state 000000000000101 000000000000101 000000000000101 000000000000101
	sensor_add 0x20 0 3 0x02 0x01 poll 500 file "$1/v12"
	sensor_set_threshold 0x20 0 3 settable 010010 00 210 00 00 170 00
	sensor_set_event_support 0x20 0 3 enable scanning per-state 000001000000100 000001000000100 000001000000100 000001000000100
	sensor_add 0x20 0 4 0x08 0x6f poll 500 file "$1/psu"
	sensor_set_event_support 0x20 0 4 enable scanning per-state 000000000001011 000000000001011 000000000001011 000000000001011
	sensor_add 0x20 0 5 0x05 0x6f poll 500 file "$1/intr"
	sensor_set_event_support 0x20 0 5 enable scanning per-state 000000000000001 000000000000001 000000000000001 000000000000001
	mc_enable 0x20
	E
}

bmc_lan() { # NODE GUID PASSWORD
	cat <<-E
	name "$1"
	set_working_mc 0x20
	 startlan 1
	  addr 0.0.0.0 623
	  priv_limit admin
	  allowed_auths_callback none md2 md5 straight
	  allowed_auths_user none md2 md5 straight
	  allowed_auths_operator none md2 md5 straight
	  allowed_auths_admin none md2 md5 straight
	  guid $2
	 endlan
	 user 1 false "" "" user 10 none md2 md5 straight
	 user 2 true "operator" "$3" admin 63 none md2 md5 straight
	 chassis_control "$LAB_HOME/chassis $LAB_DIR $1"
	E
}

# Writes one BMC's files; expects load_node.   bmc_write NODE PASSWORD
bmc_write() {
	local row file first guid
	mkdir -p "$bmc_dir/val" "$bmc_dir/state/ipmi_sim/$1"
	while IFS='|' read -r row file _ _ first _; do echo "$first" >"$bmc_dir/val/$file"; done <<<"$LAB_SENSORS"
	guid=$(guid_bytes "$uuid")
	bmc_lan "$1" "$guid" "$2" >"$bmc_dir/lan.conf"
	bmc_emulator "$bmc_dir/val" "$guid" >"$bmc_dir/bmc.emu"
	cp "$LAB_DIR/bmcs/sensors.bsdr" "$bmc_dir/state/ipmi_sim/$1/sdr.20.main"
}

bmc_start() { # NODE
	detach nsenter --net="$LAB_DIR/ns/bmc-$1" ipmi_sim -c "$bmc_dir/lan.conf" -f "$bmc_dir/bmc.emu" -n \
		-s "$bmc_dir/state" >"$bmc_dir/log" 2>&1
}

bmc_listens() { in_ns "bmc-$1" grep -q ':026F ' /proc/net/udp; }

# What a sensor's file must hold for a value in the sensor's own unit. Sets raw and file.   sensor_raw NAME VALUE
sensor_raw() {
	local name kind scale _ thousandths whole part sign=
	file=
	while IFS='|' read -r _ file name kind _ scale; do [ "$name" = "$1" ] && break; file=; done <<<"$LAB_SENSORS"
	[ -n "$file" ] || die "$1: no such sensor, there are: $(cut -d'|' -f3 <<<"$LAB_SENSORS" | paste -sd, | sed 's/,/, /g')"
	case $kind:$2 in
	discrete:absent) raw=0 ;;
	discrete:ok) raw=1 ;;
	discrete:failed) raw=3 ;;
	discrete:lost) raw=9 ;;
	discrete:[0-9] | discrete:[0-9][0-9]) raw=$2 ;;
	analog:*)
		[[ $2 =~ ^([0-9]{1,6})(\.([0-9]{1,3}))?$ ]] || die "$2: not a reading of $1, give a number such as 95 or 11.9"
		whole=${BASH_REMATCH[1]} part=${BASH_REMATCH[3]}000
		thousandths=$((10#$whole * 1000 + 10#${part:0:3}))
		raw=$(((thousandths + scale / 2) / scale))
		;;
	*) die "$2: not a state of $1, give ok, failed, lost, absent or the bits as a number" ;;
	esac
	[ "$raw" -le 255 ] || die "$2: beyond what $1 can show ($sign$((255 * ${scale:-1000} / 1000)) at most)"
}
