-- account: users with a key of their own, which nodes have sealed.

local function account(name)
    local is_read, found = pcall(cjson.decode, redis.call('HGET', key('accounts'), name) or '')
    return is_read and type(found) == 'table' and found or nil
end

-- Nothing for a name without an account. One that can't be read is not let in by any other key.
local function sealed_key(name)
    if redis.call('HEXISTS', key('accounts'), name) == 0 then
        return ''
    end
    local found = account(name)
    return found and type(found.sealed) == 'string' and found.sealed ~= '' and found.sealed or 'unreadable'
end
