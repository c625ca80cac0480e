package com.matillion.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * What a reader of the log must find, counted where it happens.  The names:
 * records, lines, blanks (empty lines behind a trace, each a record), stderr_*;
 * completed, failed by pipeline; errors: records of level ERROR by error type;
 * error_types: all records that have one (TASK_FAILED of a lower level too);
 * error_word: those of them whose text has the word; *_word_records: all records
 * whose text has it.  Times are multiples of 0.125, so sums are exact.
 */
public class Truth {
    private final Map<String, Object> values = new TreeMap<>();

    public synchronized void add(String name, double n) {
        double sum = n + ((Number) values.getOrDefault(name, 0)).doubleValue();
        values.put(name, sum == Math.rint(sum) ? (Number) (long) sum : (Number) sum);
    }

    @SuppressWarnings("unchecked")
    public synchronized void add(String name, String key) {
        ((Map<String, Long>) values.computeIfAbsent(name, k -> new TreeMap<>())).merge(key, 1L, Long::sum);
    }

    public synchronized long get(String name) {
        return ((Number) values.getOrDefault(name, 0)).longValue();
    }

    /** At once or not at all: who waits for the file finds it whole. */
    public synchronized void write(Path file) throws IOException {
        Path beside = Path.of(file + ".tmp");
        Files.writeString(beside, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(values));
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
