// The names of threads: the default one, and the one that the system shows.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_NAME_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_NAME_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace heddle {
namespace internal {

// The name of the class in a signature that ends in "Function = CLASS]" or has
// "Function = CLASS;", without its namespaces; empty if CLASS has no simple
// name: a lambda, a template's instance.
constexpr std::string_view SimpleName(std::string_view signature) {
  constexpr std::string_view kBefore = "Function = ";
  const size_t before = signature.find(kBefore);
  if (before == std::string_view::npos) return {};
  std::string_view name = signature.substr(before + kBefore.size());
  name = name.substr(0, name.find_first_of(";]"));
  if (name.find('<') != std::string_view::npos) return {};
  if (const size_t colon = name.rfind("::"); colon != std::string_view::npos)
    name = name.substr(colon + 2);
  for (const char c : name) {
    const bool in_identifier = (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '_';
    if (!in_identifier) return {};
  }
  return name;
}

// The name of `Function` if it is a class that has one, else empty. Found by
// the compiler: it needs no type information at run time and costs nothing.
template <typename Function>
constexpr std::string_view FunctionName() {
  if constexpr (std::is_class_v<Function>) {
    return SimpleName(__PRETTY_FUNCTION__);
  } else {
    return {};
  }
}

// What the system is given of a thread's name: up to a NUL, at most 15 bytes,
// and no part of a UTF-8 sequence that does not fit. Where more has to go, that
// is from the middle if the name ends in a number: "ThreadPoolExecutor-0_3"
// becomes "ThreadPoolE-0_3", so that it says which worker it is.
inline constexpr size_t kSystemNameSize = 15;
std::string CutToSystemName(std::string_view name);

// Gives the calling thread `name` at the system. Errors do not matter.
void SetSystemName(std::string_view name);
// The name that the system has for the calling thread.
std::string SystemName();

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_NAME_H_
