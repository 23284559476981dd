/* SPDX-License-Identifier: MIT */
/*
 * talk_page: what a person does and sees on the page (node/front/web), in words of the talk. All
 * knowledge about the page's elements is here. Every function fails the test when what it says does
 * not come about in BROWSER_WAIT_MS.
 */
#ifndef SUPPORT_TALK_PAGE_H
#define SUPPORT_TALK_PAGE_H

#include "page_scene.h"

/* The page's elements (node/front/web/index.html). */
#define TALK_PAGE_NAME        "#name"
#define TALK_PAGE_KEY         "#key"
#define TALK_PAGE_REGISTER    "#register"
#define TALK_PAGE_UNREGISTER  "#unregister"
#define TALK_PAGE_INSIDE      "#app" /* seen by those who are registered */
#define TALK_PAGE_ROOM_NAME   "#room-name"
#define TALK_PAGE_ROOMS       "#rooms > li"
#define TALK_PAGE_JOIN_BUTTON "#rooms > li button.open"
#define TALK_PAGE_USERS       "#users > li"
#define TALK_PAGE_MEMBERS     "#members > li"
#define TALK_PAGE_MESSAGES    "#messages"
#define TALK_PAGE_SAID        "#messages > .message"
#define TALK_PAGE_NOTICES     "#messages > .notice"
#define TALK_PAGE_PENDING     "#pending > li"
#define TALK_PAGE_EARLIER     "#earlier"
#define TALK_PAGE_MESSAGE     "#say"
#define TALK_PAGE_SEND        "#send"
#define TALK_PAGE_LEAVE       "#leave"
#define TALK_PAGE_DELETE      "#delete-room"
#define TALK_PAGE_RETRY       "#retry"
#define TALK_PAGE_YES         "#ask-yes"
#define TALK_PAGE_NO          "#ask-no"
#define TALK_PAGE_ACCEPT      "#accept"
#define TALK_PAGE_DECLINE     "#decline"
#define TALK_PAGE_WARNINGS    "#register-error, #status, #toasts" /* any of them may tell */
#define TALK_PAGE_LANGUAGE    "#language"
#define TALK_PAGE_JUMP        "#jump"     /* how much is new below */
#define TALK_PAGE_TAB_TALK    "#tab-talk" /* narrow windows only */
#define TALK_PAGE_TAB_PEOPLE  "#tab-people"

/** Fills in the form (NULL: leaves a field as it is) and sends it; what comes of it is not waited
 * for. */
void talk_page_send_form(struct browser *person, const char *name, const char *key);
/** Registered by the form with the scenario's key, and in the lobby. */
void talk_page_register(struct browser *person, const char *name);
/** A new person, registered under the browser's name. */
struct browser *talk_page_person(struct page_scene *scene, const char *name);

/* What they do. They return when the page shows that it is done. */
void talk_page_create(struct browser *person, const char *room);
void talk_page_join(struct browser *person, const char *room);
void talk_page_leave(struct browser *person);
void talk_page_delete(struct browser *person);
/** Writes a message and sends it; what comes of it is not waited for. */
void talk_page_put(struct browser *person, const char *text);
/** The same with a text that comes whole, as from the clipboard: it may have any characters. */
void talk_page_paste(struct browser *person, const char *text);
/** Returns when the message stands in the person's own room, acknowledged. */
void talk_page_say(struct browser *person, const char *text);
/** These return when it is asked for. */
void talk_page_invite(struct browser *person, const char *user);
void talk_page_promote(struct browser *person, const char *user);
void talk_page_kick(struct browser *person, const char *user);
/** Wait for an invitation and answer it. */
void talk_page_accept(struct browser *person);
void talk_page_decline(struct browser *person);

/** Choose "en" or "ko". */
void talk_page_language(struct browser *person, const char *language);

/* What they see. */
void talk_page_at_form(struct browser *person);
void talk_page_in_lobby(struct browser *person);
void talk_page_in_room(struct browser *person, const char *room);
/** The room is in the list with so many members; `members` < 0: it is not in the list. */
void talk_page_lists_room(struct browser *person, const char *room, int members);
/** Exactly these names in any order, with commas between. */
void talk_page_lists_users(struct browser *person, const char *names);
void talk_page_lists_members(struct browser *person, const char *names);
/** The one who manages the room is marked so, or (NULL) nobody is. */
void talk_page_lists_manager(struct browser *person, const char *name);
/** Those of the list (TALK_PAGE_USERS, TALK_PAGE_MEMBERS) who are marked as away. */
void talk_page_lists_away(struct browser *person, const char *list, const char *names);
/** Another window has the session. */
void talk_page_is_replaced(struct browser *person);
/** This message stands in the room, exactly once. */
void talk_page_hears(struct browser *person, const char *from, const char *text);
/** A notice that has both of these in it. */
void talk_page_is_told(struct browser *person, const char *who, const char *what);
/** A complaint or an explanation that has this text in it is shown. */
void talk_page_is_warned(struct browser *person, const char *text);

/** From now on everything that is told at the edge is kept, and every number of members. */
void talk_page_watch(struct browser *person);
/** Nothing of that had this text in it, and the number was never 0. */
void talk_page_was_not_told(struct browser *person, const char *text);

/** Ask for what was said earlier until there is no more of it. */
void talk_page_load_all(struct browser *person);
/** All that was said and is shown, oldest first, as "from: text" lines; freed by the caller.
 * Notices are left out. */
char *talk_page_transcript(struct browser *person);

#endif
