# SPDX-License-Identifier: GPL-3.0-or-later
# Makes C text of the RelaxNG schemas, so that the child without rights needs no file.
BEGIN { print "#include \"config/schema.h\"" }
FNR == 1 {
	if (NR > 1)
		print ";"
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.rng$/, "", name)
	printf "const char schema_%s[] =\n", name
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	printf "\t\"%s\\n\"\n", $0
}
END { print ";" }
