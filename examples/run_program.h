// RunProgram(): runs a program to its end and returns what came of it.
// Test-only.

#ifndef HEDDLE_EXAMPLES_RUN_PROGRAM_H_
#define HEDDLE_EXAMPLES_RUN_PROGRAM_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace examples {

struct RunOptions {
  std::string folder = {};  // the working folder, unless empty
  // Root reads whatever it likes, and permissions cannot be tested. With this a
  // program that root runs has to obey them as everybody else.
  bool obey_permissions = false;
  int max_open_files = 0;  // RLIMIT_NOFILE, unless 0
  // Descriptors of the caller's that become the program's; -1: what is written
  // there is in the result.
  int out = -1;
  int err = -1;
};

struct ProgramResult {
  int exit_code = -1;  // or the negative number of the signal that killed it
  std::string out;
  std::string err;
};

// Where the program of the target //examples:NAME is, a test's `data`.
std::string ExampleProgram(const std::string& name);

// Runs arguments[0], found on the PATH if it has no slash, with LC_ALL=C and
// without input.
ProgramResult RunProgram(const std::vector<std::string>& arguments,
                         const RunOptions& options = {});

// The two halves: starts it, with `out` and `err` given, and waits for its end.
pid_t StartProgram(const std::vector<std::string>& arguments,
                   const RunOptions& options);
int WaitForExitCode(pid_t program);

}  // namespace examples

#endif  // HEDDLE_EXAMPLES_RUN_PROGRAM_H_
