/* SPDX-License-Identifier: MIT */
/*
 * page_scene: a scenario with people in front of browsers: an e2e scenario (nodes, clients of the
 * original's kind) and up to PAGE_PEOPLE_MAX browsers. At its end no browser may have complained
 * about anything, and everything that must hold for nodes and clients holds.
 */
#ifndef SUPPORT_PAGE_SCENE_H
#define SUPPORT_PAGE_SCENE_H

#include "browser.h"
#include "e2e_cluster.h"

#define PAGE_PEOPLE_MAX 6
#define PAGE_KEY        "950817" /* as daemon.c sets it */

struct page_scene {
    struct e2e *e;
    const char *name;
    char url[64];        /* where people find the page; "" before there is a node */
    bool is_behind_path; /* of nginx; set before PAGE_CLUSTER */
    struct webdriver *driver;
    struct browser *people[PAGE_PEOPLE_MAX];
    size_t people_count;
    bool has_passed;
};

/** Opens a scenario: PAGE_SCENARIO(name) { ... uses `scene` ... }, listed by PAGE_TEST(name). It is
 * skipped, with a message, where there is no chromium. */
#define PAGE_SCENARIO(name)                                                                        \
    static void name##_steps(struct page_scene *scene);                                            \
    static void name(void **state)                                                                 \
    {                                                                                              \
        page_scene_begin(*state, #name);                                                           \
        name##_steps(*state);                                                                      \
        page_scene_passed(*state);                                                                 \
    }                                                                                              \
    static void name##_steps(struct page_scene *scene)
#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, page_scene_setup, page_scene_teardown)

int page_scene_setup(void **state);
int page_scene_teardown(void **state);
void page_scene_begin(struct page_scene *scene, const char *name);
void page_scene_passed(struct page_scene *scene);

/** Start the scenario's node; people find the page there. */
#define PAGE_NODE(scene, ...)                                                                      \
    page_scene_node((scene), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void page_scene_node(struct page_scene *scene, const char *const *sets);

/** Start three nodes behind the shipped nginx; people find the page at its address. */
#define PAGE_CLUSTER(scene, ...)                                                                   \
    page_scene_cluster((scene), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void page_scene_cluster(struct page_scene *scene, const char *const *sets);

/** Somebody sits down in front of the page: not registered yet, a window on a desk, in English. */
struct browser *page_scene_person(struct page_scene *scene, const char *name);
struct browser *page_scene_person_with(struct page_scene *scene,
                                       const struct browser_options *options);
/** The same with nothing opened yet. */
struct browser *page_scene_browser(struct page_scene *scene, const struct browser_options *options);

/** Keep a picture of what this person sees: <build>/tests/e2e/screenshots/<scenario>-<what>-<name>
 * .png. */
void page_scene_picture(struct page_scene *scene, struct browser *person, const char *what);

#endif
