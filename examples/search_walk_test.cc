#include "heddle/examples/search_walk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heddle/examples/temp_tree.h"

namespace search {
namespace {

using examples::TempTree;
using testing::ElementsAre;
using testing::IsEmpty;

static_assert(std::input_iterator<Walk::iterator>);

// The paths that the walk gives; those with an error as "PATH: ERRNO".
std::vector<std::string> PathsOf(Walk walk) {
  std::vector<std::string> paths;
  for (WalkEntry entry : walk) {
    if (entry.error != 0) entry.path += ": " + std::to_string(entry.error);
    paths.push_back(std::move(entry.path));
  }
  return paths;
}

// The same, without the root that all are in.
std::vector<std::string> PathsIn(const TempTree& tree) {
  std::vector<std::string> paths = PathsOf(Walk({tree.root()}));
  for (std::string& path : paths) {
    EXPECT_TRUE(path.starts_with(tree.root() + "/")) << path;
    path.erase(0, tree.root().size() + 1);
  }
  return paths;
}

TEST(WalkTest, NothingComesOfNothing) {
  TempTree tree;
  EXPECT_THAT(PathsOf(Walk({})), IsEmpty());
  EXPECT_THAT(PathsIn(tree), IsEmpty());
  tree.Folder("a/b");
  tree.Folder("c");
  EXPECT_THAT(PathsIn(tree), IsEmpty());
}

TEST(WalkTest, OrderIsThatOfTheBytesOfWholePaths) {
  TempTree tree;
  for (const char* path :
       {"a/z", "a.c", "a-b", "a0", "A", "ab/a", "a/a/a", "a/a.", "\xff", "z",
        "a b", "a\nb", "-a", "a/\x80", "\x7f"}) {
    tree.File(path, "");
  }
  EXPECT_THAT(PathsIn(tree), ElementsAre("-a", "A", "a\nb", "a b", "a-b", "a.c",
                                         "a/a.", "a/a/a", "a/z", "a/\x80", "a0",
                                         "ab/a", "z", "\x7f", "\xff"));
}

TEST(WalkTest, RootsComeInTheOrderGiven) {
  TempTree tree;
  tree.File("a/1", "");
  tree.File("b/2", "");
  tree.File("c", "");
  EXPECT_THAT(
      PathsOf(Walk({tree / "c", tree / "b", tree / "a", tree / "b"})),
      ElementsAre(tree / "c", tree / "b/2", tree / "a/1", tree / "b/2"));
}

TEST(WalkTest, SlashesAtTheEndOfARootAreOne) {
  TempTree tree;
  tree.File("a/1", "");
  EXPECT_THAT(PathsOf(Walk({tree / "a/"})), ElementsAre(tree / "a/1"));
  EXPECT_THAT(PathsOf(Walk({tree / "a///"})), ElementsAre(tree / "a/1"));
  EXPECT_THAT(PathsOf(Walk({tree / "a/."})), ElementsAre(tree / "a/./1"));
  Walk all({"/"});
  const WalkEntry first = *all.begin();
  EXPECT_TRUE(first.path.starts_with("/")) << first.path;
  EXPECT_FALSE(first.path.starts_with("//")) << first.path;
}

TEST(WalkTest, LinksAreFollowedOnlyFromTheRoots) {
  TempTree tree;
  tree.File("a/file", "");
  tree.Link("a/to_file", "file");
  tree.Link("a/to_parent", "..");
  tree.Link("a/to_nothing", "nothing");
  tree.Link("to_a", "a");
  EXPECT_THAT(PathsIn(tree), ElementsAre("a/file"));
  EXPECT_THAT(PathsOf(Walk({tree / "to_a", tree / "a/to_file"})),
              ElementsAre(tree / "to_a/file", tree / "a/to_file"));
}

TEST(WalkTest, OnlyRootsMayBeOtherThanRegularFiles) {
  TempTree tree;
  tree.Node("a/fifo", S_IFIFO);
  tree.Node("a/socket", S_IFSOCK);
  EXPECT_THAT(PathsIn(tree), IsEmpty());
  Walk walk({tree / "a/fifo", "/dev/null"});
  auto it = walk.begin();
  EXPECT_EQ((*it).path, tree / "a/fifo");
  ++it;
  const WalkEntry device = *it;
  EXPECT_EQ(device.path, "/dev/null");
  EXPECT_TRUE(device.is_root);
  ++it;
  EXPECT_TRUE(it == walk.end());
}

TEST(WalkTest, WhatIsNotThereIsAnEntryInItsPlace) {
  TempTree tree;
  tree.File("a", "");
  tree.Link("to_nothing", "nothing");
  EXPECT_THAT(PathsOf(Walk({tree / "no", tree / "a", tree / "a/",
                            tree / "to_nothing", ""})),
              ElementsAre((tree / "no: ") + std::to_string(ENOENT), tree / "a",
                          (tree / "a/: ") + std::to_string(ENOTDIR),
                          (tree / "to_nothing: ") + std::to_string(ENOENT),
                          ": " + std::to_string(ENOENT)));
}

TEST(WalkTest, FoldersAreReadWhenTheirTurnComes) {
  TempTree tree;
  tree.File("a/1", "");
  tree.File("b/2", "");
  tree.File("c/3", "");
  Walk walk({tree.root()});
  auto it = walk.begin();
  EXPECT_EQ(WalkEntry(*it).path, tree / "a/1");
  tree.File("b/1", "");
  tree.File("c/1", "");
  ++it;
  EXPECT_EQ(WalkEntry(*it).path, tree / "b/1");
  tree.File("b/3", "");  // too late: b has been read
  ++it;
  EXPECT_EQ(WalkEntry(*it).path, tree / "b/2");
  ++it;
  EXPECT_EQ(WalkEntry(*it).path, tree / "c/1");
}

TEST(WalkTest, AFolderThatVanishesIsAnEntry) {
  TempTree tree;
  tree.File("a", "");
  tree.Folder("b");
  tree.File("c", "");
  Walk walk({tree.root()});
  auto it = walk.begin();
  EXPECT_EQ(WalkEntry(*it).path, tree / "a");
  ASSERT_EQ(rmdir((tree / "b").c_str()), 0);
  ++it;
  const WalkEntry vanished = *it;
  EXPECT_EQ(vanished.path, tree / "b");
  EXPECT_EQ(vanished.error, ENOENT);
  ++it;
  EXPECT_EQ(WalkEntry(*it).path, tree / "c");
}

TEST(WalkTest, PathsMayBeLongerThanTheSystemTakes) {
  TempTree tree;
  constexpr int kLevels = 100;
  const std::string name(200, 'd');
  tree.DeepFolders(name, kLevels);
  const std::vector<std::string> paths = PathsIn(tree);
  ASSERT_EQ(paths.size(), size_t{kLevels});
  EXPECT_EQ(paths.back(), name + "/file");
  EXPECT_EQ(paths.front().size(), kLevels * (name.size() + 1) + 4);
}

}  // namespace
}  // namespace search
