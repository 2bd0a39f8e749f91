--[[
  Ends a load that stores nothing, or lets it be late.

  Input
    KEYS[1]  lease

    ARGV[1]  token of the lease
    ARGV[2]  where notices are published: command and channel
    ARGV[3]  notice for those who wait: released
    ARGV[4]  what stands in place of the lease for a while, for those who come now ('skip', failed|code|message, or
             late|token|n0|milliseconds|code|message), or ''
    ARGV[5]  how long that while is, in milliseconds

  Output
    1  released
    0  the lease was not the caller's any more: nothing was done
]]
--- @include publish
--- @include read_lease

local token, _, mark = read_lease(KEYS[1])
if token ~= ARGV[1] then
  return 0
end
-- First of all writes: a script whose first write is a DEL is not refused when memory is full.
redis.call('DEL', KEYS[1])
if ARGV[4] ~= '' then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
if mark ~= '' then
  publish(ARGV[2], ARGV[3])
end
return 1
