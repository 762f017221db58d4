#include "heddle/examples/run_program.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace examples {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::_Exit(126);
}

// Everything after the fork, up to the program itself.
[[noreturn]] void BecomeProgram(char* const* arguments,
                                const RunOptions& options) {
  const int nothing = open("/dev/null", O_RDONLY);
  if (dup2(nothing, STDIN_FILENO) < 0) Die("stdin");
  if (dup2(options.out, STDOUT_FILENO) < 0) Die("stdout");
  if (dup2(options.err, STDERR_FILENO) < 0) Die("stderr");
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0)
    Die("chdir");
  setenv("LC_ALL", "C", /*overwrite=*/1);
  std::signal(SIGPIPE, SIG_DFL);
  if (options.max_open_files != 0) {
    const auto n = static_cast<rlim_t>(options.max_open_files);
    const rlimit limit = {n, n};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Die("setrlimit");
  }
  if (options.obey_permissions && geteuid() == 0) {
    // Works in a sandbox too, where there is no other user to become.
    for (const int power : {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH})
      if (prctl(PR_CAPBSET_DROP, power, 0, 0, 0) != 0) Die("prctl");
  }
  execvp(arguments[0], arguments);
  Die(arguments[0]);
}

int MemoryFile() {
  const int file = memfd_create("output", MFD_CLOEXEC);
  if (file < 0) Die("memfd_create");
  return file;
}

std::string TakeAll(int file) {
  std::string all(static_cast<size_t>(lseek(file, 0, SEEK_END)), '\0');
  for (size_t done = 0; done < all.size();) {
    const ssize_t n = pread(file, all.data() + done, all.size() - done,
                            static_cast<off_t>(done));
    if (n <= 0) Die("pread");
    done += static_cast<size_t>(n);
  }
  close(file);
  return all;
}

}  // namespace

std::string ExampleProgram(const std::string& name) {
  // Bazel starts tests and what it runs in the folder of their `data`.
  return std::filesystem::absolute("examples/" + name).string();
}

pid_t StartProgram(const std::vector<std::string>& arguments,
                   const RunOptions& options) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t program = fork();
  if (program < 0) Die("fork");
  if (program == 0) BecomeProgram(pointers.data(), options);
  return program;
}

int WaitForExitCode(pid_t program) {
  int status = 0;
  if (waitpid(program, &status, 0) != program) Die("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

ProgramResult RunProgram(const std::vector<std::string>& arguments,
                         const RunOptions& options) {
  RunOptions inner = options;
  if (options.out < 0) inner.out = MemoryFile();
  if (options.err < 0) inner.err = MemoryFile();
  ProgramResult result;
  result.exit_code = WaitForExitCode(StartProgram(arguments, inner));
  if (options.out < 0) result.out = TakeAll(inner.out);
  if (options.err < 0) result.err = TakeAll(inner.err);
  return result;
}

}  // namespace examples
