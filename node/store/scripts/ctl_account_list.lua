-- ctl_account_list: the accounts, by name; a page of them behind the one that the cursor names.
-- with: base rows
local behind = (A.cursor or ''):match('^>(.*)$')
local names = {}
for _, name in ipairs(redis.call('HKEYS', key('accounts'))) do
    if not behind or name > behind then
        names[#names + 1] = name
    end
end
local shown = first_of(names, PAGE, function(a, b) return a < b end)
for _, name in ipairs(shown) do
    local is_read, account = pcall(cjson.decode, redis.call('HGET', key('accounts'), name))
    account = is_read and type(account) == 'table' and account or {}
    row('Account', 'user', name, 'added_ms', tonumber(account.added_ms) or 0,
        'added_by', type(account.added_by) == 'string' and account.added_by or '')
end
return result(ERR.NONE, #shown < #names and '>' .. shown[#shown] or '0')
