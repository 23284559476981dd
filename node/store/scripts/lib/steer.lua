-- steer: operators' changes. Each is made and recorded or, as a dry run, only told.

local is_dry = A.dry_run == '1'
local NAMES_TOLD = 100

local function counted(count, what)
    return text(count) .. ' ' .. what .. (count == 1 and '' or 's')
end

-- The names of the first members of a room.
local function member_names(rid)
    local names = {}
    for _, uid in ipairs(redis.call('ZRANGE', key('m', rid), 0, NAMES_TOLD - 1)) do
        names[#names + 1] = redis.call('HGET', key('u', uid), 'name') or nil
    end
    return names
end

-- Records a change. `asked`: the names of the request's fields.
local function record(method, asked, what)
    local args = {}
    for i, name in ipairs(asked) do
        args[i] = '"' .. name .. '":' .. cjson.encode(A[name] or '')
    end
    event('ctl_' .. method, { 'actor', A.actor or '', 'args', '{' .. table.concat(args, ',') .. '}',
        'result', what, 'node', A.node, 'user', A.user or '', 'user_key', A.user_key or '',
        'room', A.room or '', 'room_key', A.room_key or '' })
end

-- Ends a change: what it has done, or would do. `hit` says it: `did` and `would` are the verb's two forms,
-- `what` follows them; users, rooms: how many are concerned, names: theirs.
local function finish(method, asked, hit)
    local what = (is_dry and 'would ' .. hit.would or hit.did) .. ' ' .. hit.what
    if not is_dry then
        record(method, asked, what)
    end
    reply_here()
    local fields = { 'dry_run', is_dry and '1' or '', 'what', what, 'users', hit.users or 0,
        'rooms', hit.rooms or 0, 'state', is_dry and '' or hit.state or 'done' }
    for i = 1, math.min(#hit.names, NAMES_TOLD) do
        fields[#fields + 1] = 'names'
        fields[#fields + 1] = hit.names[i]
    end
    row('Done', unpack(fields))
    return result(ERR.NONE)
end
