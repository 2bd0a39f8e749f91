--[[
  Makes all entries of a tag stale at once: those whose n0 is below the stamp's softN.

  Input
    KEYS[1]  stamp of the tag
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
--- @include last_move
--- @include next_link
--- @include read_stamp

local stamp = read_stamp(KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if not stamp then
  -- All entries of the tag are void, and stay so. What is being loaded is stored as stale.
  local n = last_move(KEYS[2], ARGV[4])
  stamp = n and string.format('%.0f', n) .. ':' .. ARGV[2]
  left = tonumber(ARGV[5])
end
local link = next_link(KEYS[2])
-- First of all writes: a script whose first write is a DEL is not refused when memory is full.
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], link, ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if stamp then
  redis.call('SET', KEYS[1], stamp .. ':' .. n)
  if left > 0 then
    redis.call('PEXPIRE', KEYS[1], left)
  end
end
return n
