// Var<T>: plain data that threads share under some rule, such as a lock.
//
// In an ordinary build it is T itself, at no cost. Under --config=model every
// access is checked: two, one of them a write, of which neither happens before
// the other are a data race, found in every schedule and not only where they
// collide.

#ifndef HEDDLE_THREAD_INTERNAL_VAR_H_
#define HEDDLE_THREAD_INTERNAL_VAR_H_

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/var.h"
#endif

namespace heddle {
namespace internal {

#ifdef HEDDLE_MODEL
using explore::Var;
#else
template <typename T>
using Var = T;
#endif

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_VAR_H_
