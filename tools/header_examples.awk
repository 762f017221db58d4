# Puts the examples of headers into a template: awk -f header_examples.awk TEMPLATE HEADER...
#
# In the template a line "//@example thread/local.h" stands for the first example
# in that header's comment: what is indented by three blanks after a line that
# begins with "Example". A line "..." in it, or what follows "... " in a line, is
# prose. A header with an example that the template has no place for is an error,
# and so is a place without an example.

FNR == 1 {
  file += 1
  in_example = 0
}
file == 1 {
  template[++lines] = $0
  next
}
/^#ifndef/ { nextfile }
/^\/\/ Example/ && !(FILENAME in example) {
  in_example = 1
  example[FILENAME] = ""
  next
}
!in_example { next }
/^\/\/   / || /^\/\/$/ {
  line = substr($0, 6)
  if (line ~ /^[ ]*\.\.\.( |$)/) next
  sub(/ \.\.\. }/, " }", line)
  example[FILENAME] = example[FILENAME] line "\n"
  next
}
# The first sentence of an example may go on; any other ends it.
example[FILENAME] ~ /[^ \n]/ { in_example = 0 }

END {
  status = 0
  for (i = 1; i <= lines; ++i) {
    if (template[i] !~ /^\/\/@example /) {
      print template[i]
      continue
    }
    header = substr(template[i], 12)
    if (!(header in example)) {
      print "header_examples: " header " has no example" >"/dev/stderr"
      status = 1
    }
    printf "#line 1 \"the example in %s\"\n%s", header, example[header]
    printf "#line %d \"%s\"\n", i + 1, "header_examples.cc.in"
    used[header] = 1
  }
  for (header in example) {
    if (!(header in used)) {
      print "header_examples: the example in " header " has no place" >"/dev/stderr"
      status = 1
    }
  }
  exit status
}
