// Unit: the result of a void function, where there must be a value.

#ifndef HEDDLE_POOL_INTERNAL_UNIT_H_
#define HEDDLE_POOL_INTERNAL_UNIT_H_

namespace heddle {
namespace pool_internal {

struct Unit {};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_UNIT_H_
