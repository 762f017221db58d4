# Prints the program in the WANTth ```cpp fence of a README; fails unless it has
# TOTAL such fences. Other fences are prose to it. Used by heddle_readme_test.
/^```cpp$/ { count++; inside = (count == want); next }
/^```$/    { inside = 0 }
inside     { print }
END {
  if (count != total) {
    printf "%s has %d ```cpp fences; its heddle_readme_test lists %d\n", FILENAME, count, total > "/dev/stderr"
    exit 1
  }
}
