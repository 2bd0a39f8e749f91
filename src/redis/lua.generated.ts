// Written by scripts/build-lua.ts from src/redis/lua: change the scripts there.
export const scripts = {
  'acquire-3': {
    keys: 3,
    sha1: '67af473d322ec8a2bc761f81f4ca4c23434e6186',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local there = redis.pcall('GET', KEYS[1])
if type(there) == 'string' then
  local seen = ARGV[3]
  local same = (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen)
  if not same then
    return { 'found' }
  end
end
local held = redis.pcall('GET', KEYS[2])
if type(held) == 'string' then
  local left = redis.call('PTTL', KEYS[2])
  if held == 'skip' and left > 0 then
    return { 'skip' }
  end
  local code, message = string.match(held, '^failed|([^|]*)|(.*)$')
  local kept
  if not code then
    kept, code, message = string.match(held, '^late|%x+|%d+|(%d+)|([^|]*)|(.*)$')
  end
  if kept then
    left = left - tonumber(kept)
  end
  if code and left > 0 and ARGV[4] == '1' then
    return { 'failed', code, message }
  end
  if kept and left > 0 then
    return { 'late', left }
  end
  if string.match(held, '^%x+|%d+!*$') then
    if left > 0 then
      if string.sub(held, -1) ~= '!' then
        redis.pcall('SET', KEYS[2], held .. '!', 'KEEPTTL')
      end
      return { 'busy', left }
    end
  end
end
local n = head_number(KEYS[3])
local n0
if n then
  n0 = string.format('%.0f', n)
else
  local time = redis.call('TIME')
  n0 = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end
local done = redis.pcall('SET', KEYS[2], ARGV[1] .. '|' .. n0, 'PX', ARGV[2])
if type(done) == 'table' and done.err then
  return { 'full', done.err }
end
if not n then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'n', n0, 'floor', n0, 'tip', string.sub(ARGV[1], 1, 16))
end
return { 'granted', n0 }`,
  },
  'commit-n': {
    keys: 'n',
    sha1: '54a3ac9aa4972db99dd4056f4fab115c69fba608',
    lua: `local function entry_bytes(head, n0, stamps, tail)
  local joined = {}
  for index, stamp in ipairs(stamps) do
    joined[index] = string.char(#stamp) .. stamp
  end
  local section = table.concat(joined)
  return string.sub(head, 1, 12)
    .. struct.pack('>d', n0)
    .. string.sub(head, 21)
    .. struct.pack('>I2I4', #stamps, #section)
    .. section
    .. tail
end
local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
local function put(key, value, life)
  if life == 0 then
    return redis.pcall('SET', key, value)
  end
  return redis.pcall('SET', key, value, 'PX', life)
end
local function read_lease(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local token, n0, mark = string.match(text, '^(%x+)|(%d+)(!*)$')
  if not token then
    token, n0 = string.match(text, '^late|(%x+)|(%d+)|')
    mark = '!'
  end
  return token, tonumber(n0), mark
end
local function read_stamp(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local token, n0, mark = read_lease(KEYS[2])
if token ~= ARGV[2] then
  return { 'refused', 'lease' }
end
local function refuse(word, reason)
  redis.call('DEL', KEYS[2])
  if mark ~= '' then
    redis.call('PUBLISH', ARGV[1], ARGV[7])
  end
  return { word, reason }
end
if not head_number(KEYS[3]) then
  return refuse('refused', 'chain')
end
local life = tonumber(ARGV[5])
local stamps = {}
local missing = {}
for index = 4, #KEYS do
  local stamp, n = read_stamp(KEYS[index])
  if stamp then
    if n > n0 then
      return refuse('refused', 'moved')
    end
    stamps[#stamps + 1] = stamp
  else
    local last = redis.call('HGET', KEYS[3], ARGV[index + 5]) or redis.call('HGET', KEYS[3], 'floor')
    local moved = tonumber(last or '')
    if not moved or not (moved <= n0) then
      return refuse('refused', 'moved')
    end
    missing[#missing + 1] = KEYS[index]
    stamps[#stamps + 1] = string.format('%.0f', n0) .. ':' .. ARGV[8]
  end
end
for _, key in ipairs(missing) do
  local done = put(key, string.format('%.0f', n0) .. ':' .. ARGV[8], life)
  if type(done) == 'table' and done.err then
    return refuse('failed', done.err)
  end
end
local done = put(KEYS[1], entry_bytes(ARGV[3], n0, stamps, ARGV[4]), life)
if type(done) == 'table' and done.err then
  return refuse('failed', done.err)
end
for index = 4, #KEYS do
  keep_stamp(KEYS[index], life)
end
redis.call('DEL', KEYS[2])
if mark ~= '' then
  redis.call('PUBLISH', ARGV[1], ARGV[6])
end
return { 'stored', unpack(stamps) }`,
  },
  'discard-1': {
    keys: 1,
    sha1: '5c6dd80646b182ac2c8d3bfb790d9bcd9fb07e49',
    lua: `local there = redis.pcall('GET', KEYS[1])
if type(there) ~= 'string' then
  return 0
end
local seen = ARGV[1]
if (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen) then
  return redis.call('DEL', KEYS[1])
end
return 0`,
  },
  'expire-3': {
    keys: 3,
    sha1: 'bd352cc980ef1d6d8611b3f864206a4a51fc21c7',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
redis.call('DEL', KEYS[2])
local head = redis.pcall('GETRANGE', KEYS[1], 0, 35)
if type(head) == 'string' and #head == 36 and string.sub(head, 1, 3) == 'tc\\1' then
  redis.call('SETRANGE', KEYS[1], 28, struct.pack('>d', 0))
end
return chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])`,
  },
  'expire-tag-2': {
    keys: 2,
    sha1: 'e1d235872484f3913d59fd985e7be5be341bb148',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function read_stamp(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local stamp = read_stamp(KEYS[1])
local left = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if stamp then
  redis.call('SET', KEYS[1], stamp .. ':' .. n)
  if left > 0 then
    redis.call('PEXPIRE', KEYS[1], left)
  end
end
return n`,
  },
  'increment-n': {
    keys: 'n',
    sha1: '35215b07b426b4434685a27a5abbf2c3c7298bc6',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function entry_bytes(head, n0, stamps, tail)
  local joined = {}
  for index, stamp in ipairs(stamps) do
    joined[index] = string.char(#stamp) .. stamp
  end
  local section = table.concat(joined)
  return string.sub(head, 1, 12)
    .. struct.pack('>d', n0)
    .. string.sub(head, 21)
    .. struct.pack('>I2I4', #stamps, #section)
    .. section
    .. tail
end
local function entry_counter(bytes, above, now)
  if type(bytes) ~= 'string' or #bytes < 62 or string.sub(bytes, 1, 3) ~= 'tc\\1' then
    return 'none'
  end
  if struct.unpack('>d', bytes, 29) <= now then
    return 'none'
  end
  local count, length = struct.unpack('>I2I4', bytes, 57)
  local at = 63
  for index = 1, #above do
    local size = string.byte(bytes, at) or 0
    if count < index or string.sub(bytes, at + 1, at + size) ~= above[index] then
      return 'none'
    end
    at = at + 1 + size
  end
  if string.byte(bytes, 4) ~= 2 or count ~= #above or at ~= 63 + length then
    return 'wrong'
  end
  local value = tonumber(string.sub(bytes, at))
  if not value then
    return 'wrong'
  end
  return 'counter', value, at
end
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
local function put(key, value, life)
  if life == 0 then
    return redis.pcall('SET', key, value)
  end
  return redis.pcall('SET', key, value, 'PX', life)
end
local function read_stamp(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > tonumber(ARGV[6]) then
  return { 'late' }
end
local n0 = head_number(KEYS[3]) or (tonumber(time[1]) * 1000000 + tonumber(time[2]))
local created = string.format('%.0f', n0) .. ':' .. ARGV[2]
local stamps = {}
local missing = {}
for index = 4, #KEYS do
  local stamp = read_stamp(KEYS[index])
  if not stamp then
    missing[#missing + 1] = KEYS[index]
  end
  stamps[#stamps + 1] = stamp or created
end
local there = redis.pcall('GET', KEYS[1])
local word, value, at = entry_counter(there, stamps, now)
if word == 'wrong' then
  return { 'wrong' }
end
local sum = (value or 0) + tonumber(ARGV[7])
if sum > 9007199254740991 or sum < -9007199254740991 then
  return { 'overflow' }
end
local text = string.format('%.0f', sum)
local life = tonumber(ARGV[5])
local done
if word == 'counter' then
  local bytes = string.sub(there, 1, 4) .. string.sub(ARGV[4], 5, 12) .. string.sub(there, 13, at - 1) .. text
  done = redis.pcall('SET', KEYS[1], bytes, 'KEEPTTL')
else
  done = put(KEYS[1], entry_bytes(ARGV[4], n0, stamps, text), life)
end
if type(done) == 'table' and done.err then
  return { 'failed', done.err }
end
for _, key in ipairs(missing) do
  put(key, created, life)
end
if word ~= 'counter' then
  for index = 4, #KEYS do
    keep_stamp(KEYS[index], life)
  end
end
redis.call('DEL', KEYS[2])
chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])
return { 'stored', text }`,
  },
  'invalidate-3': {
    keys: 3,
    sha1: 'a599ec7b16af795ab424684b0bdc5a6c85d0b933',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
redis.call('DEL', KEYS[1], KEYS[2])
return chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])`,
  },
  'invalidate-group-2': {
    keys: 2,
    sha1: '0565abe9482f98ee7b755b3463998d85f15e4e53',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function read_stamp(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local left = read_stamp(KEYS[1]) and redis.call('PTTL', KEYS[1]) or -2
redis.call('DEL', KEYS[1])
local n = chain(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], n .. ':' .. ARGV[2])
if left ~= -1 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[5])))
end
return n`,
  },
  'release-1': {
    keys: 1,
    sha1: '933c99d7bbe4e80fc50495c841aaa239db074c5a',
    lua: `local function read_lease(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local token, n0, mark = string.match(text, '^(%x+)|(%d+)(!*)$')
  if not token then
    token, n0 = string.match(text, '^late|(%x+)|(%d+)|')
    mark = '!'
  end
  return token, tonumber(n0), mark
end
local token, _, mark = read_lease(KEYS[1])
if token ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[4] ~= '' then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
if mark ~= '' then
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return 1`,
  },
  'renew-1': {
    keys: 1,
    sha1: 'b2e2bfbfc631c7dc732d8c98592e1dcb8825869c',
    lua: `local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' and string.match(held, '^(%x+)|') == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`,
  },
  'set-n': {
    keys: 'n',
    sha1: '4c0acf267ca1140dbee2367b99cbb01a0efd6ad7',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function entry_bytes(head, n0, stamps, tail)
  local joined = {}
  for index, stamp in ipairs(stamps) do
    joined[index] = string.char(#stamp) .. stamp
  end
  local section = table.concat(joined)
  return string.sub(head, 1, 12)
    .. struct.pack('>d', n0)
    .. string.sub(head, 21)
    .. struct.pack('>I2I4', #stamps, #section)
    .. section
    .. tail
end
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
local function put(key, value, life)
  if life == 0 then
    return redis.pcall('SET', key, value)
  end
  return redis.pcall('SET', key, value, 'PX', life)
end
local function read_stamp(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then
    return nil
  end
  local stamp, n, nonce, soft = string.match(text, '^((%d+):([0-9a-f]+))(.*)$')
  if not stamp or #n > 17 or #nonce ~= 16 or not string.match(soft, '^:?%d*$') then
    return nil
  end
  return stamp, tonumber(n)
end
local time = redis.call('TIME')
if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[8]) then
  return { 'late' }
end
if ARGV[9] ~= '' then
  local there = redis.pcall('GETRANGE', KEYS[1], 0, 51)
  if type(there) == 'string' and #there == 52 and string.sub(there, 1, 3) == 'tc\\1' then
    if struct.unpack('>d', there, 45) > tonumber(ARGV[9]) then
      return { 'older' }
    end
  end
end
local life = tonumber(ARGV[7])
local n0 = head_number(KEYS[3]) or (tonumber(time[1]) * 1000000 + tonumber(time[2]))
local created = string.format('%.0f', n0) .. ':' .. ARGV[2]
local stamps = {}
local failure
for index = 4, #KEYS do
  local stamp = read_stamp(KEYS[index])
  if not stamp then
    stamp = created
    local done = redis.pcall('SET', KEYS[index], stamp)
    if type(done) == 'table' and done.err then
      failure = done.err
      break
    end
    if life > 0 then
      redis.call('PEXPIRE', KEYS[index], life)
    end
  end
  stamps[#stamps + 1] = stamp
end
if not failure then
  local done = put(KEYS[1], entry_bytes(ARGV[5], n0, stamps, ARGV[6]), life)
  if type(done) == 'table' and done.err then
    failure = done.err
  end
end
if not failure then
  for index = 4, #KEYS do
    keep_stamp(KEYS[index], life)
  end
end
if failure then
  redis.call('DEL', KEYS[1], KEYS[2])
  return { 'failed', chain(KEYS[3], ARGV[1], ARGV[2], ARGV[4]), failure }
end
redis.call('DEL', KEYS[2])
return { 'stored', chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3]), unpack(stamps) }`,
  },
  'touch-n': {
    keys: 'n',
    sha1: 'dd4674bc7239aa86d7f23db99aeaaa0d29459c22',
    lua: `local function head_number(q)
  local text = redis.pcall('HGET', q, 'n')
  if type(text) ~= 'string' or #text > 16 or not string.match(text, '^%d+$') then
    return nil
  end
  local n = tonumber(text)
  if n >= 9007199254740991 then
    return nil
  end
  return n
end
local function chain(q, channel, tip, body, field)
  local n = head_number(q)
  local previous = ''
  if n then
    n = n + 1
    previous = redis.call('HGET', q, 'tip') or ''
  else
    local time = redis.call('TIME')
    n = tonumber(time[1]) * 1000000 + tonumber(time[2])
    redis.call('DEL', q)
    redis.call('HSET', q, 'floor', string.format('%.0f', n))
  end
  local text = string.format('%.0f', n)
  redis.call('HSET', q, 'n', text, 'tip', tip)
  if field then
    redis.call('HSET', q, field, text)
  end
  redis.call('PUBLISH', channel, '[1,"' .. previous .. '","' .. tip .. '","' .. text .. '",' .. body)
  return text
end
local function keep_stamp(key, life)
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', key)
    elseif left < life then
      redis.call('PEXPIRE', key, life)
    end
  end
end
local head = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if head ~= 'tc\\1' then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fresh = math.huge
if ARGV[4] ~= 'never' then
  fresh = now + tonumber(ARGV[4])
end
local stale = math.huge
if ARGV[5] ~= 'never' then
  stale = fresh + tonumber(ARGV[5])
end
redis.call('DEL', KEYS[2])
redis.call('SETRANGE', KEYS[1], 28, struct.pack('>dd', fresh, stale))
local life = 0
if stale == math.huge then
  redis.call('PERSIST', KEYS[1])
else
  life = math.max(1, math.ceil(stale - now))
  redis.call('PEXPIRE', KEYS[1], life)
end
for index = 4, #KEYS do
  keep_stamp(KEYS[index], life)
end
chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])
return 1`,
  },
} as const
