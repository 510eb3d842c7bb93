-- Takes the next turn of a bucket, however far ahead it lies. Keys are those of take.lua.
-- KEYS: the bucket. ARGV: what one turn takes, in microseconds.
-- Answer: in how many microseconds the bucket was full before this turn.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local before = math.max((tonumber(redis.call('GET', KEYS[1])) or now) - now, 0)
local after = before + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / 1000))
return before
