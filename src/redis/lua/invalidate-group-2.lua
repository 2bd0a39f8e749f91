--[[
  Makes all entries of a group void at once: they carry its stamp, and it moves on. A group is a tag, or a namespace that
  is cleared, with those below it.

  Input
    KEYS[1]  stamp of the group
    KEYS[2]  chain head

    ARGV[1]  where notices are published: command and channel
    ARGV[2]  the new tip
    ARGV[3]  body of the notice
    ARGV[4]  field of the chain head that notes this invalidation
    ARGV[5]  TTL in milliseconds of a stamp that did not exist

  Output
    the number of the link, as text
]]
--- @include chain
--- @include next_link
--- @include read_stamp

-- What stands there and is no stamp may have no end.
local left = read_stamp(KEYS[1]) and redis.call('PTTL', KEYS[1]) or -2
local link = next_link(KEYS[2])
-- First of all writes: a script whose first write is a DEL is not refused when memory is full.
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], link, ARGV[1], ARGV[2], ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], n .. ':' .. ARGV[2])
if left ~= -1 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[5])))
end
return n
