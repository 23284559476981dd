/* SPDX-License-Identifier: MIT */
/*
 * page_scene: set-up and teardown of scenarios with browsers. What the page shows is talk_page.c's
 * business; what people do, the scenarios'.
 */
#include "page_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One for all scenarios of a program, which come one after the other. */
static struct webdriver *page_scene_driver;

static void page_scene_end_driver(void)
{
    browser_end_rested();
    webdriver_free(page_scene_driver);
    page_scene_driver = NULL;
}

int page_scene_setup(void **state)
{
    struct page_scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL) {
        return -1;
    }
    *state = scene;
    void *e = NULL;
    int result = e2e_setup(&e);
    scene->e = e;
    return result;
}

void page_scene_begin(struct page_scene *scene, const char *name)
{
    if (!webdriver_is_installed()) {
        print_message("chromium and chromium-driver are not installed: the page is not tested\n");
        skip();
    }
    scene->name = name;
    if (page_scene_driver == NULL) {
        page_scene_driver = webdriver_start();
        atexit(page_scene_end_driver);
    }
    scene->driver = page_scene_driver;
}

static void page_scene_path(const struct page_scene *scene, const struct browser *person,
                            const char *what, char *ret_path, size_t cap)
{
    if (mkdir(SCREENSHOT_DIR, 0777) != 0) {
        assert_int_equal(errno, EEXIST);
    }
    snprintf(ret_path, cap, "%s/%s-%s-%s.png", SCREENSHOT_DIR, scene->name, what,
             browser_name(person));
}

void page_scene_picture(struct page_scene *scene, struct browser *person, const char *what)
{
    char path[512];
    page_scene_path(scene, person, what, path, sizeof path);
    if (!browser_screenshot(person, path)) {
        fail_msg("%s cannot be taken", path);
    }
}

void page_scene_passed(struct page_scene *scene)
{
    for (size_t i = 0; i < scene->people_count; i++) {
        page_scene_picture(scene, scene->people[i], "end");
        browser_check_log(scene->people[i]);
    }
    while (scene->people_count > 0) {
        browser_rest(scene->people[--scene->people_count]);
    }
    scene->has_passed = true;
    e2e_passed(scene->e);
}

int page_scene_teardown(void **state)
{
    struct page_scene *scene = *state;
    for (size_t i = 0; i < scene->people_count; i++) {
        char path[512];
        page_scene_path(scene, scene->people[i], "failed", path, sizeof path);
        if (browser_screenshot(scene->people[i], path)) {
            fprintf(stderr, "--- what %s saw: %s\n", browser_name(scene->people[i]), path);
        }
        browser_print_log(scene->people[i], stderr);
        browser_close(scene->people[i]);
    }
    if (!scene->has_passed) {
        page_scene_end_driver();
    }
    void *e = scene->e;
    /* One that was skipped has nothing to show. */
    scene->e->has_passed |= scene->driver == NULL;
    int result = e2e_teardown(&e);
    free(scene);
    return result;
}

/* Nodes and people ----------------------------------------------------------------------------- */

static void page_scene_at(struct page_scene *scene, uint16_t port)
{
    snprintf(scene->url, sizeof scene->url, "http://127.0.0.1:%u/%s", port,
             scene->is_behind_path ? "chat/" : "");
}

void page_scene_node(struct page_scene *scene, const char *const *sets)
{
    e2e_node(scene->e, sets);
    page_scene_at(scene, scene->e->daemon->http_port);
}

void page_scene_cluster(struct page_scene *scene, const char *const *sets)
{
    struct e2e *e = scene->e;
    struct balancer_node nodes[BALANCER_NODES];
    e->balancer = balancer_new();
    e->balancer->is_behind_path = scene->is_behind_path;
    e2e_cluster(e, BALANCER_NODES, sets);
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        nodes[i].hgtp_port = e->nodes[i].hgtp_port;
        nodes[i].http_port = e->nodes[i].http_port;
    }
    assert_true(balancer_start(e->balancer, nodes));
    e2e_cluster_meshed(e);
    page_scene_at(scene, e->balancer->web_port);
}

struct browser *page_scene_browser(struct page_scene *scene, const struct browser_options *options)
{
    assert_true(scene->people_count < PAGE_PEOPLE_MAX);
    struct browser *person = browser_open(scene->driver, options);
    scene->people[scene->people_count++] = person;
    return person;
}

struct browser *page_scene_person_with(struct page_scene *scene,
                                       const struct browser_options *options)
{
    struct browser *person = page_scene_browser(scene, options);
    browser_goto(person, scene->url);
    return person;
}

struct browser *page_scene_person(struct page_scene *scene, const char *name)
{
    const struct browser_options options = {.name = name};
    return page_scene_person_with(scene, &options);
}
