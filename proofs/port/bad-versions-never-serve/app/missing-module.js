require('a-module-that-nobody-installed');
