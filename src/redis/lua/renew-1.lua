--[[
  Makes a lease last longer, for a loader that is slower than one lease.

  Input
    KEYS[1]  lease

    ARGV[1]  token of the lease
    ARGV[2]  its new length from now, in milliseconds

  Output
    1  renewed
    0  the lease is not the caller's any more
]]
--- @include value_or_absent

local held = value_or_absent('GET', KEYS[1])
if type(held) == 'string' and string.match(held, '^(%x+)|') == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
