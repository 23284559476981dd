-- account: users with a key of their own, which nodes have sealed for the name as it is written in the account
-- (`user`). It is found by the key of the name.

local function account(name_key)
    local is_read, found = pcall(cjson.decode, redis.call('HGET', key('accounts'), name_key) or '')
    return is_read and type(found) == 'table' and found or nil
end

local function text_of(found, field)
    local value = found and found[field]
    return type(value) == 'string' and value ~= '' and value
end

-- Nothing for a name without an account, else what is sealed and the name as it is written there. One that can't
-- be read is not let in by any other key.
local function sealed_key(name_key)
    if redis.call('HEXISTS', key('accounts'), name_key) == 0 then
        return ''
    end
    local found = account(name_key)
    return text_of(found, 'sealed') or 'unreadable', text_of(found, 'user') or name_key
end
