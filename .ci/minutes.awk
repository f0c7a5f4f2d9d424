# Reads `go test` output, passes it on, and ends with the minutes per package,
# slowest first.
{ print; fflush() }
/^(ok|FAIL|---)?[ \t]*(ok|FAIL)[ \t]+halsted/ {
  for (i = 1; i <= NF; i++) if ($i ~ /^[0-9.]+s$/) { sub(/s$/, "", $i); seconds[$2] = $i + 0; total += $i }
}
END {
  print ""
  print "minutes  package"
  sort = "sort -rn"
  for (p in seconds) printf "%7.2f  %s\n", seconds[p] / 60, p | sort
  close(sort)
  printf "%7.2f  all packages, added up\n", total / 60
}
