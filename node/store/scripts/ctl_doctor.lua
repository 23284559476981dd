-- ctl_doctor: compares the state with its own rules, some hundred things in one call, and repairs what is wrong
-- if `fix` is set. Each thing is looked at and repaired in one step, so that what is only under way is never
-- found. First come the types of all keys, then all keys, one by one, then what only shows in lists. The extra
-- is the cursor.
-- allow-oom: what it repairs must not wait for memory
-- with: base step memory request top log session lists room wait ends nodes rows steer findings
local LOOKED_AT = 300 -- things in one call; a room with its members is never divided
local looked_at = 0

-- Without any node on the list it has just been lost: the living write themselves down again at once.
local function is_node_known(node)
    return redis.call('EXISTS', key('nodes')) == 0 or redis.call('HEXISTS', key('nodes'), node) == 1
        or redis.call('SISMEMBER', key('lost'), node) == 1
end

local function exists(kind, id)
    return redis.call('EXISTS', key(kind, id)) == 1
end

-- Looks at one thing. One that needs a key of a wrong type, which is named for itself, must not keep the rest
-- from being looked at.
local function examine(what, check, ...)
    local is_done, why = pcall(check, ...)
    why = type(why) == 'table' and why.err or why
    if not is_done and not tostring(why):find('WRONGTYPE', 1, true) then
        found('unreadable', what .. ': ' .. tostring(why):gsub('%s+', ' '))
    end
end

-- A room that cannot be looked up, and so can neither be entered nor deleted, is none.
local function whole_room(rid)
    local r = room(rid)
    return r and r.name_key and r
end

-- Types ----------------------------------------------------------------------------------------------

local check_type
do -- Lua has places for 200 local names at a time
    -- Of every kind of key; `keep`: why it is not taken away when it is something else.
    local TYPES = {
        accounts = { 'hash', keep = 'without accounts everybody could come in under their names' },
        closed = { 'zset' },
        events = { 'stream' },
        home = { 'hash' },
        i = { 'zset' },
        inbox = { 'stream' },
        listed = { 'hash' },
        log = { 'stream' },
        lost = { 'set' },
        m = { 'zset' },
        memory = { 'hash' },
        nodes = { 'hash' },
        p = { 'hash' },
        pending = { 'zset' },
        r = { 'hash' },
        realm = { 'hash', keep = 'end all nodes first' },
        rh = { 'hash' },
        rn = { 'string' },
        rooms = { 'zset' },
        schema = { 'string', keep = 'end all nodes first' },
        sessions = { 'zset' },
        u = { 'hash' },
        un = { 'string' },
        waits = { 'zset' },
    }

    function check_type(name)
        local wanted = TYPES[name:sub(#A.prefix + 1):match('^%l+')]
        local is = redis.call('TYPE', name).ok
        if wanted and is ~= wanted[1] and is ~= 'none' then
            found('wrong-type', name .. ' is of type ' .. is .. ' and not ' .. wanted[1], function()
                if wanted.keep then
                    return 'no: ' .. wanted.keep .. ', then keep a copy and delete it'
                end
                redis.call('DEL', name)
            end)
        end
    end

end

-- Sessions -------------------------------------------------------------------------------------------

-- The key of a name leads to its owner. `names`: kind of the keys that do; `of`: kind of the owner's.
local function check_own_name(names, of, id, name_key)
    local owner = redis.call('GET', key(names, name_key))
    if owner == id then
        return
    end
    found('lost-name', names .. ':' .. name_key .. ' leads to ' .. (owner or 'nothing') .. ' and not to ' .. id, function()
        if owner and redis.call('HGET', key(of, owner), 'name_key') == name_key then
            return 'no: two have this name; end one of them'
        end
        redis.call('SET', key(names, name_key), id)
    end)
end

-- The name of an owner that is taken away, if it leads to it.
local function free_name(names, of, id)
    local name_key = redis.call('HGET', key(of, id), 'name_key')
    if name_key and redis.call('GET', key(names, name_key)) == id then
        redis.call('DEL', key(names, name_key))
    end
end

local check_session
do
    local function forget_wait(s)
        drop_queue(s, ERR.PEER_SILENT)
        redis.call('ZREM', key('waits'), s.uid)
        if (s.wait_room or '') ~= '' then
            redis.call('ZREM', key('i', s.wait_room), s.uid)
        end
        redis.call('HDEL', key('u', s.uid), unpack(WAIT_FIELDS))
        s.wait = nil
    end

    local function set_state(s, state)
        s.state = state
        save(s, 'state')
        tell_node(s.home, s.uid)
    end

    -- Takes up the wait with the state that the session is in, or the state with the room.
    local function check_transition(s)
        local is_asked = s.state == 'INVITE' or s.state == 'REMOVE'
        local at_rest = s.room == '' and 'REGISTER_OK' or 'TALK'
        if is_asked and s.wait ~= s.state or s.wait and not is_asked then
            found('stuck-transition', s.name .. ' is in state ' .. s.state .. ' and is asked for '
                .. (s.wait or 'nothing'), function()
                forget_wait(s)
                set_state(s, at_rest)
            end)
        elseif s.wait and not redis.call('ZSCORE', key('waits'), s.uid) then
            found('stuck-transition', s.name .. ' is asked for ' .. s.wait .. ' without a deadline', function()
                redis.call('ZADD', key('waits'), life, s.uid)
            end)
        elseif not is_asked and s.state ~= at_rest then
            found('stuck-transition', s.name .. ' is in state ' .. s.state .. (s.room == '' and ' without a room'
                or ' in a room'), function()
                set_state(s, at_rest)
            end)
        end
    end

    local function check_membership(s)
        if s.room == '' then
            return
        end
        if not whole_room(s.room) then
            found('lost-member', s.name .. ' is in the room ' .. s.room .. ', which is no more', function()
                local gone = s.room
                forget_wait(s)
                s.room = ''
                save(s, 'room')
                tell_out(s, gone, 1)
                set_state(s, 'REGISTER_OK')
            end)
        elseif not redis.call('ZSCORE', key('m', s.room), s.uid) then
            found('lost-member', s.name .. ' is in the room ' .. s.room .. ', which does not have it', function()
                redis.call('ZADD', key('m', s.room), life, s.uid)
                changed('members', s.room)
                recounted()
            end)
        end
    end

    local function check_home(s)
        local home = s.home or ''
        local is_known = home == '' or is_node_known(home)
        if (s.line or '') ~= '' and (home == '' or not is_known) then
            found('dead-line', s.name .. ' has a line, and its home is ' .. (home ~= '' and home or 'nowhere'), function()
                s.line = ''
                save(s, 'line')
            end)
        end
        if not is_known then
            found('dead-home', s.name .. ' is at home at ' .. home .. ', which is no node', function()
                -- From there the living adopt it, as they do when a node dies.
                redis.call('HSETNX', key('home', home), s.uid, '')
                redis.call('SADD', key('lost'), home)
            end)
        elseif home ~= '' and redis.call('HEXISTS', key('home', home), s.uid) == 0 then
            found('missing-home', s.name .. ' is not among the sessions of its home ' .. home, function()
                redis.call('HSET', key('home', home), s.uid, '')
            end)
        end
    end

    function check_session(uid)
        local s = session(uid)
        if not s or not s.name or not s.name_key or not s.room then
            found('broken-session', key('u', uid) .. ' lacks its name, the key of it, its state or its room', function()
                free_name('un', 'u', uid)
                redis.call('DEL', key('u', uid))
                redis.call('ZREM', key('sessions'), uid)
            end)
            return
        end
        if not redis.call('ZSCORE', key('sessions'), uid) then
            found('immortal-session', s.name .. ' is not among the sessions', function()
                s.expires = tonumber(s.expires) or 0
                renew(s)
                changed('users')
            end)
        end
        check_own_name('un', 'u', uid, s.name_key)
        check_membership(s)
        check_transition(s)
        check_home(s)
    end
end

-- Keys -----------------------------------------------------------------------------------------------

local function check_name(names, of, name_key)
    local id = redis.call('GET', key(names, name_key))
    if id and redis.call('HGET', key(of, id), 'name_key') ~= name_key then
        found('orphan-name', names .. ':' .. name_key .. ' leads to ' .. id .. ', which has not this name', function()
            redis.call('DEL', key(names, name_key))
        end)
    end
end

local function check_room_key(rid)
    local r = whole_room(rid)
    if not r then
        found('broken-room', key('r', rid) .. ' lacks its name or the key of it', function()
            free_name('rn', 'r', rid)
            redis.call('DEL', key('r', rid), key('m', rid), key('rh', rid), key('i', rid), key('log', rid))
            redis.call('ZREM', key('rooms'), rid)
            changed('rooms')
        end)
        return
    end
    if not r.epoch or not tonumber(r.limit) or not r.manager or not r.kind then
        found('broken-room', r.name .. ' lacks its epoch, its limit, its manager or its kind', function()
            r.epoch = r.epoch or new_epoch()
            r.manager = r.manager or ''
            r.kind = r.kind or r.manager ~= '' and 'users' or 'operators'
            redis.call('HSET', key('r', rid), 'epoch', r.epoch, 'limit', tonumber(r.limit) or A.members_max,
                'manager', r.manager, 'kind', r.kind)
        end)
    end
    check_own_name('rn', 'r', rid, r.name_key)
    if not redis.call('ZSCORE', key('rooms'), rid) then
        found('unlisted-room', r.name .. ' is not among the rooms', function()
            redis.call('ZADD', key('rooms'), tonumber(r.created) or now, rid)
            changed('rooms')
        end)
    end
    if not exists('log', rid) then
        found('missing-log', r.name .. ' has no log', function()
            begin_log(r, manager_name(r.manager))
        end)
    end
end

local function orphan_check(check, kind)
    return function(rid)
        if not exists('r', rid) then
            found(check, kind .. ':' .. rid .. ' is of no room', function()
                redis.call('DEL', key(kind, rid))
            end)
        end
    end
end

local function check_log(id)
    local is_closed = redis.call('ZSCORE', key('closed'), id)
    if not is_closed and not exists('r', id) then
        found('orphan-log', 'log:' .. id .. ' is of no room', function()
            redis.call('DEL', key('log', id))
        end)
    end
end

local function check_registration(id)
    if not redis.call('ZSCORE', key('pending'), id) then
        found('no-expiry', 'p:' .. id .. ' stays for ever', function()
            redis.call('DEL', key('p', id))
        end)
    end
end

local KEY_CHECKS = {
    u = check_session,
    un = function(name) check_name('un', 'u', name) end,
    r = check_room_key,
    rn = function(name) check_name('rn', 'r', name) end,
    m = orphan_check('orphan-members', 'm'),
    rh = orphan_check('orphan-members', 'rh'),
    i = orphan_check('orphan-members', 'i'),
    log = check_log,
    p = check_registration,
    home = function(node)
        if not is_node_known(node) then
            found('dead-home', node .. ' has sessions and is no node', function()
                redis.call('SADD', key('lost'), node)
            end)
        end
    end,
}

-- Walks, each from a place on to the next one; nothing when it is at its end ----------------------------

local function walk_keys(place)
    local page = redis.call('SCAN', place, 'MATCH', A.prefix .. '*', 'COUNT', 50)
    for _, name in ipairs(page[2]) do
        local kind, id = name:sub(#A.prefix + 1):match('^(%l+):(.*)$')
        if KEY_CHECKS[kind] then
            examine(name, KEY_CHECKS[kind], id)
        end
        looked_at = looked_at + 1
    end
    looked_at = looked_at + 5
    return page[1]
end

local function walk_set(set, check)
    return function(place)
        local page = redis.call('ZSCAN', key(set), place, 'COUNT', 100)
        for i = 1, #page[2], 2 do
            examine(set .. ' ' .. page[2][i], check, page[2][i])
            looked_at = looked_at + 1
        end
        return page[1]
    end
end

local check_members
do
    local function check_member_counts(r, counts)
        local kept, differing = hash(key('rh', r.id)), {}
        for node, count in pairs(counts) do
            if tonumber(kept[node]) ~= count then
                differing[#differing + 1] = node .. ' has ' .. count .. ' and not ' .. (kept[node] or 0)
            end
            kept[node] = nil
        end
        for node, count in pairs(kept) do
            differing[#differing + 1] = node .. ' has 0 and not ' .. count
        end
        if #differing > 0 then
            table.sort(differing)
            found('member-count', r.name .. ': ' .. table.concat(differing, ', '), function()
                redis.call('DEL', key('rh', r.id))
                for node, count in pairs(counts) do
                    redis.call('HSET', key('rh', r.id), node, count)
                end
            end)
        end
    end

    local function check_invited(r)
        for _, uid in ipairs(redis.call('ZRANGE', key('i', r.id), 0, -1)) do
            local wait, rid = unpack(redis.call('HMGET', key('u', uid), 'wait', 'wait_room'))
            if wait ~= 'INVITE' or rid ~= r.id then
                found('orphan-invite', uid .. ' is invited into ' .. r.name .. ' and is not asked', function()
                    redis.call('ZREM', key('i', r.id), uid)
                end)
            end
        end
    end

    function check_members(rid)
        local r = room(rid)
        if not r then
            found('orphan-room', rid .. ' is among the rooms and is none', function()
                redis.call('ZREM', key('rooms'), rid)
                changed('rooms')
            end)
            return
        end
        local counts, present, has_manager = {}, 0, r.manager == ''
        local members = redis.call('ZRANGE', key('m', rid), 0, -1)
        for _, uid in ipairs(members) do
            local of, home = unpack(redis.call('HMGET', key('u', uid), 'room', 'home'))
            if of == rid then
                present = present + 1
                has_manager = has_manager or uid == r.manager
                if (home or '') ~= '' then
                    counts[home] = (counts[home] or 0) + 1
                end
            else
                found('ghost-member', uid .. ' is in ' .. r.name .. ' and ' .. (of and 'believes to be elsewhere'
                    or 'has no session'), function()
                    redis.call('ZREM', key('m', rid), uid)
                    changed('members', rid)
                    recounted()
                end)
            end
        end
        looked_at = looked_at + #members
        check_invited(r)
        check_member_counts(r, counts)
        if present == 0 and r.kind == 'users' then
            found('empty-room', r.name .. ' is a room of users, and nobody is in it', function()
                close_room(r)
                changed('rooms')
            end)
        elseif not has_manager then
            found('absent-manager', r.name .. ' is managed by ' .. r.manager .. ', who is not in it', function()
                hand_over(r)
            end)
        end
    end
end

-- By creation.
local function walk_rooms(place)
    local rooms, following = slice_of(key('rooms'), place, 50)
    for _, rid in ipairs(rooms) do
        place = redis.call('ZSCORE', key('rooms'), rid) .. '/' .. rid
        examine('room ' .. rid, check_members, rid)
        looked_at = looked_at + 1
        if looked_at >= LOOKED_AT then
            return place
        end
    end
    return following
end

local function check_home_of(uid, node)
    local home = redis.call('HGET', key('u', uid), 'home')
    if home ~= node then
        found('stray-home', uid .. ' is among the sessions of ' .. node .. ' and '
            .. (home and 'is not at home there' or 'is none'), function()
            redis.call('HDEL', key('home', node), uid)
        end)
    end
end

-- The sessions of the living, one after the other: "cursor/node". Those of others are for who adopts them.
local function walk_homes(place)
    local cursor, node = place:match('^(%d+)/(.*)$')
    local following
    for _, living in ipairs(redis.call('HKEYS', key('nodes'))) do
        if (cursor == '0' or not cursor) and (not node or living > node) and (not following or living < following) then
            following = living
        end
    end
    if cursor and cursor ~= '0' then
        following = node
    end
    if not following then
        return '0'
    end
    local page = redis.call('HSCAN', key('home', following), cursor or '0', 'COUNT', 100)
    for i = 1, #page[2], 2 do
        examine('home:' .. following, check_home_of, page[2][i], following)
        looked_at = looked_at + 1
    end
    looked_at = looked_at + 1
    return page[1] .. '/' .. following
end

local function walk_events()
    local length = redis.call('XLEN', key('events'))
    looked_at = looked_at + 1
    if length > EVENTS_KEPT * 1.1 then -- trimming is never exact
        found('long-events', 'the record has ' .. counted(length, 'event') .. ' instead of ' .. EVENTS_KEPT, function()
            redis.call('XTRIM', key('events'), 'MAXLEN', '~', EVENTS_KEPT, 'LIMIT', 0)
        end)
    end
    return '0'
end

local WALKS = {
    { 'policy', function()
        local policy = redis.call('INFO', 'memory'):match('maxmemory_policy:([%w-]+)') or 'noeviction'
        if policy ~= 'noeviction' then
            found('eviction', "Redis' maxmemory-policy is " .. policy .. ' and not noeviction')
        end
        return '0'
    end },
    { 'types', function(place)
        local page = redis.call('SCAN', place, 'MATCH', A.prefix .. '*', 'COUNT', 100)
        for _, name in ipairs(page[2]) do
            check_type(name)
        end
        looked_at = looked_at + 5 + #page[2]
        return page[1]
    end },
    { 'events', walk_events },
    -- An account is found by the key of its name. What stands elsewhere has been written there by other hands.
    { 'accounts', function(place)
        local page = redis.call('HSCAN', key('accounts'), place, 'COUNT', 100)
        for i = 1, #page[2], 2 do
            local field, is_read, kept = page[2][i], pcall(cjson.decode, page[2][i + 1])
            local name_key = is_read and type(kept) == 'table' and kept.name_key
            if type(name_key) ~= 'string' or type(kept.user) ~= 'string' then
                found('lost-account', 'the account ' .. field .. ' lacks its name or the key of it')
            elseif name_key ~= field then
                local is_double = redis.call('HEXISTS', key('accounts'), name_key) == 1
                found('lost-account', 'the account ' .. field .. (is_double and ' has the same name as '
                    or ' is not found by its name ') .. name_key .. (is_double and ', which counts' or ''), function()
                    if is_double then
                        return 'no: two have this name; remove one of them'
                    end
                    redis.call('HSET', key('accounts'), name_key, page[2][i + 1])
                    redis.call('HDEL', key('accounts'), field)
                end)
            end
            looked_at = looked_at + 1
        end
        return page[1]
    end },
    { 'keys', walk_keys },
    { 'sessions', walk_set('sessions', function(uid)
        if not exists('u', uid) then
            found('orphan-session', uid .. ' is among the sessions and is none', function()
                redis.call('ZREM', key('sessions'), uid)
                changed('users')
            end)
        end
    end) },
    { 'waits', walk_set('waits', function(uid)
        if not redis.call('HGET', key('u', uid), 'wait') then
            found('orphan-wait', uid .. ' is waited for and is not asked', function()
                redis.call('ZREM', key('waits'), uid)
            end)
        end
    end) },
    { 'rooms', walk_rooms },
    { 'homes', walk_homes },
}

local number, checked, place = (A.cursor or ''):match('^(%d+) (%d+) (.*)$')
number, checked, place = tonumber(number) or 1, tonumber(checked) or 0, place or '0'
if is_realm_spoilt then -- nothing else can be trusted
    check_type(key('realm'))
    number = #WALKS + 1
end
while WALKS[number] and looked_at < LOOKED_AT do
    local name, walk = unpack(WALKS[number])
    local from = place
    place = '0'
    examine(name, function()
        place = walk(from)
    end)
    if place == '0' then
        number = number + 1
    end
end
record_repairs()
if WALKS[number] then
    return result(ERR.NONE, number .. ' ' .. text(checked + looked_at) .. ' ' .. place)
end
local fields = { 'checked', checked + looked_at }
for _, check in ipairs(CHECKS) do
    fields[#fields + 1] = 'checks'
    fields[#fields + 1] = check[1]
end
row('DoctorReply', unpack(fields))
return result(ERR.NONE, '0')
